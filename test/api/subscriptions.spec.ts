import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { testApi, type TestApi } from './support/clients.js';

let served: TestApi;
beforeAll(async () => {
  served = await testApi();
  await served.rest('POST', '/api/v1/projects', { project: 'there', description: 'one' });
});
afterAll(() => served.close());

interface Ending {
  readonly results: any[];
  readonly error?: any;
}

/** Runs one operation over graphql-transport-ws to its end. */
async function run(query: string, connectionParams?: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Ending> {
  const client = createClient({
    url: served.api.addresses.graphql.replace('http', 'ws'),
    connectionParams,
    retryAttempts: 0,
    webSocketImpl: class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers });
      }
    },
  });
  const results: unknown[] = [];
  const ending = await new Promise<Ending>((resolve) => {
    client.subscribe({ query }, { next: (result) => void results.push(result), error: (error) => resolve({ results, error }), complete: () => resolve({ results }) });
  });
  await client.dispose();
  return ending;
}

const there = '{ project(project: "there") { description } }';
const key = { authorization: 'Bearer owner-key' };

describe('over graphql-transport-ws', () => {
  test('the key comes with the connection, as a parameter or as a header', async () => {
    expect((await run(there, key)).results).toEqual([{ data: { project: { description: 'one' } } }]);
    expect((await run(there, { 'X-API-Key': 'owner-key' })).results).toHaveLength(1);
    expect((await run(there, undefined, key)).results).toHaveLength(1);
  });

  test('a client who asks elsewhere for a WebSocket and breaks off harms nobody', async () => {
    const { hostname, port } = new URL(served.api.addresses.graphql);
    for (let count = 0; count < 20; count++) {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write('GET /elsewhere HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', () => socket.resetAndDestroy());
      await once(socket, 'close');
    }
    expect((await run(there, key)).results).toHaveLength(1);
  });

  test('a connection without a good key is closed as unauthorized', async () => {
    for (const parameters of [undefined, {}, { authorization: 'Bearer wrong' }, { authorization: 7 }]) {
      expect(await run(there, parameters)).toMatchObject({ results: [], error: { code: 4401 } });
    }
  });

  test('a refusal reads as over HTTP', async () => {
    const { results } = await run('{ project(project: "nobody") { description } }', key);
    expect(results).toEqual([{ data: { project: null }, errors: [expect.objectContaining({ message: 'Project nobody does not exist', extensions: expect.objectContaining({ code: 'NOT_FOUND', reason: 'PROJECT_NOT_FOUND' }) })] }]);
  });

  test('documents are validated and limited as over HTTP', async () => {
    const reasonOf = ({ error, results }: Ending) => error?.[0]?.extensions?.reason ?? results[0]?.errors?.[0]?.extensions?.reason;
    expect(reasonOf(await run('{ nonsense }', key))).toBe('INVALID_QUERY');
    expect(reasonOf(await run(`{ ${Array.from({ length: 61 }, (_, index) => `a${index}: __typename`).join(' ')} }`, key))).toBe('QUERY_ALIASES_LIMIT');
  });

  test('the schema is kept from a key that may not see it, and cost is limited', async () => {
    const { error } = await run('{ __schema { types { name } } }', { authorization: 'Bearer reader-key' });
    expect(error).toEqual([expect.objectContaining({ extensions: expect.objectContaining({ code: 'PERMISSION_DENIED' }) })]);
    const costly = await run(`{ ${Array.from({ length: 30 }, (_, index) => `a${index}: projects(first: 1000) { nodes { project } }`).join(' ')} }`, key);
    expect(costly.error).toEqual([expect.objectContaining({ extensions: expect.objectContaining({ reason: 'QUERY_COST_LIMIT' }) })]);
  });

  test('another protocol or address is not served, and the server goes on', async () => {
    const url = served.api.addresses.graphql.replace('http', 'ws');
    const ended = (address: string, protocols: string[], say?: string) =>
      new Promise<unknown>((resolve) => {
        const socket = new WebSocket(address, protocols);
        if (say !== undefined) socket.on('open', () => socket.send(say));
        socket.on('close', (code) => resolve(code)).on('error', () => resolve('error'));
      });
    expect(await ended(url.replace('/graphql', '/other'), ['graphql-transport-ws'])).toBe('error');
    expect(await ended(url, ['graphql-ws'])).toBe('error');
    expect(await ended(url, ['graphql-transport-ws'], 'nonsense')).toBe(4400);
    expect(await ended(url, ['graphql-transport-ws'], 'x'.repeat(2 ** 20 + 1))).toBe(1009);
    expect(served.log.at(-1)).toMatchObject({ level: 30, code: 'INVALID_ARGUMENT', reason: 'BAD_FRAME' });
    expect((await run(there, key)).results).toHaveLength(1);
  });
});
