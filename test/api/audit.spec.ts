import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, Metadata, type Client, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { statusDetails } from '../../src/api/grpc/status.js';
import type { StoredEvent } from '../../src/platform/eventstore/port.js';
import { until } from '../support/until.js';
import { callGrpc, callRest, testApi, type TestApi } from './support/clients.js';
import { ownerKey, readerKey } from './support/memory-core.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

const auditClient = (address: string): Client => {
  const loaded = loadPackageDefinition(loadProtos(['tarl/audit/v1/audit.proto'])) as any;
  return new loaded.tarl.audit.v1.Audit(address, credentials.createInsecure());
};
const keyOf = (key = ownerKey): Metadata => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  return metadata;
};
const replayOver = (client: Client, request: object, key?: string): ClientReadableStream<any> => (client as any).Replay(request, keyOf(key));

describe('what was written, told again', () => {
  let platform: TestPlatform;
  let audit: Client;
  const done: string[] = [];
  beforeAll(async () => {
    platform = await testPlatform();
    audit = auditClient(platform.addresses.grpc);
    const does = async (path: string, body: object, headers = {}) => void done.push((await platform.rest(path, body, headers)).answer.position);
    await does('/api/v1/projects', { project: 'a', description: 'one' }, { 'tarl-correlation-id': 'c-1' });
    await does('/api/v1/projects', { project: 'b', description: '' });
    await does('/api/v1/projects/a:describe', { description: 'two' }, { 'tarl-correlation-id': 'c-1' });
    await does('/api/v1/projects/b:archive', { reason: 'done' });
  });
  afterAll(async () => {
    audit.close();
    await platform.close();
  });
  const told = async (request: object) => {
    const events = [];
    for await (const event of replayOver(audit, request)) events.push(event);
    return events;
  };

  test('comes over gRPC as a stream, with the state after each event', async () => {
    const events = await told({ streams: ['project-*'], state: true });
    expect(events.map(({ position, type, state }) => ({ position, type, state }))).toEqual([
      { position: done[0], type: 'ProjectCreated', state: { status: 'active', description: 'one' } },
      { position: done[1], type: 'ProjectCreated', state: { status: 'active', description: '' } },
      { position: done[2], type: 'ProjectDescribed', state: { status: 'active', description: 'two' } },
      { position: done[3], type: 'ProjectArchived', state: { status: 'archived', description: '' } },
    ]);
    expect(events[0]).toMatchObject({ stream: 'project-a', revision: '0', data: { project: 'a', description: 'one' }, metadata: { actor: expect.any(String), correlationId: 'c-1', version: 1 }, recordedAt: expect.stringMatching(/^\d{4}-/) });
    expect((await told({ from: done[1], to: done[2] })).map(({ position }) => position)).toEqual([done[2]]);
    expect(await told({ to: '2020-01-01T00:00Z' })).toEqual([]);
  });

  test('comes page by page on every wire, each event once', async () => {
    const wires = {
      rest: async (pageToken: string) => (await callRest(platform.addresses.rest, 'GET', `/api/v1/events?streams=project-*&pageSize=3&state=true&pageToken=${pageToken}`)).answer,
      grpc: async (pageToken: string) => (await callGrpc(audit, 'ListEvents', { streams: ['project-*'], pageSize: 3, state: true, pageToken })).answer,
      graphql: async (after: string) => {
        const query = 'query($after: String) { events(streams: ["project-*"], first: 3, state: true, after: $after) { nodes { position state } pageInfo { hasNextPage endCursor } } }';
        const { events } = (await platform.graphql(query, { after: after || null })).answer;
        return { events: events.nodes, nextPageToken: events.pageInfo.hasNextPage ? events.pageInfo.endCursor : '' };
      },
    };
    for (const [wire, ask] of Object.entries(wires)) {
      const first = await ask('');
      const second = await ask(first.nextPageToken);
      expect({ [wire]: [...first.events, ...second.events].map(({ position }) => position) }).toEqual({ [wire]: done });
      expect(second.events[0].state).toEqual({ status: 'archived', description: '' });
      expect(second.nextPageToken).toBe('');
    }
  });

  test('comes with what the chosen events led to on every wire, also where that is on a later page', async () => {
    const chosen = { types: ['ProjectCreated'], streams: ['project-a'], effects: true };
    const wires = {
      rest: async (pageToken: string) => (await callRest(platform.addresses.rest, 'GET', `/api/v1/events?types=ProjectCreated&streams=project-a&effects=true&pageSize=1&pageToken=${pageToken}`)).answer,
      grpc: async (pageToken: string) => (await callGrpc(audit, 'ListEvents', { ...chosen, pageSize: 1, pageToken })).answer,
      graphql: async (after: string) => {
        const query = 'query($after: String) { events(types: ["ProjectCreated"], streams: ["project-a"], effects: true, first: 1, after: $after) { nodes { position } pageInfo { hasNextPage endCursor } } }';
        const { events } = (await platform.graphql(query, { after: after || null })).answer;
        return { events: events.nodes, nextPageToken: events.pageInfo.hasNextPage ? events.pageInfo.endCursor : '' };
      },
    };
    for (const [wire, ask] of Object.entries(wires)) {
      const first = await ask('');
      const second = await ask(first.nextPageToken);
      expect({ [wire]: [...first.events, ...second.events].map(({ position }) => position) }).toEqual({ [wire]: [done[0], done[2]] });
    }
  });

  test('goes on only with the question that the page is of', async () => {
    const { nextPageToken } = (await callGrpc(audit, 'ListEvents', { pageSize: 1 })).answer;
    expect(await callGrpc(audit, 'ListEvents', { pageToken: nextPageToken, actor: 'x' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await callGrpc(audit, 'ListEvents', { pageToken: nextPageToken, effects: true })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const forged = Buffer.from(JSON.stringify([JSON.parse(Buffer.from(nextPageToken, 'base64url').toString())[0], 'no place'])).toString('base64url');
    expect(await callGrpc(audit, 'ListEvents', { pageToken: forged })).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('refuses a place that is none, over every wire', async () => {
    const refused = { code: 'INVALID_ARGUMENT', fields: [{ field: 'from', description: expect.stringContaining('takes a position of the log, or a time') }] };
    expect(await callRest(platform.addresses.rest, 'GET', '/api/v1/replay?from=yesterday')).toMatchObject(refused);
    expect(await callRest(platform.addresses.rest, 'GET', '/api/v1/events?from=yesterday')).toMatchObject(refused);
    expect(await platform.graphql('{ events(from: "yesterday") { nodes { id } } }')).toMatchObject(refused);
    const error = await told({ from: 'yesterday' }).catch((reason: ServiceError) => reason);
    expect(statusDetails(error as ServiceError)).toMatchObject({ reason: 'INVALID_INPUT', fields: refused.fields });
  });
});

describe('a reader of a log without end', () => {
  let served: TestApi;
  let audit: Client;
  let given = 0;
  let ended = false;
  beforeAll(async () => {
    served = await testApi();
    audit = auditClient(served.api.addresses.grpc);
    (served.core.eventStore as any).endOfLog = async () => ({ commit: 1n, prepare: 1n });
    (served.core.eventStore as any).readLog = async function* (): AsyncGenerator<StoredEvent> {
      try {
        for (; ; given++) yield { id: `${given}`, stream: 's-1', revision: BigInt(given), position: { commit: BigInt(given), prepare: BigInt(given) }, type: 'T', data: { text: 'x'.repeat(10_000) }, metadata: {}, recordedAt: new Date(0) };
      } finally {
        ended = true;
      }
    };
  });
  afterAll(async () => {
    audit.close();
    await served.close();
  });
  beforeEach(() => {
    given = 0;
    ended = false;
  });
  /** Resolves when nothing more has been given for a while: the reader is waited for. */
  const standsStill = () => {
    let before = -1;
    let calm = 0;
    return until('the replay waits', () => {
      calm = given === before ? calm + 1 : 0;
      before = given;
      return calm >= 10;
    });
  };

  test('is waited for over gRPC when it reads slowly, and let go when it hangs up', async () => {
    const call = replayOver(audit, {});
    const [first] = await new Promise<any[]>((resolve) => call.once('data', (event) => (call.pause(), resolve([event]))));
    expect(first.position).toBe('0');
    await standsStill();
    expect(ended).toBe(false);
    call.on('error', () => undefined);
    call.cancel();
    await until('the log is left', () => ended);
  });

  test('is waited for over REST when it reads slowly, and let go when it hangs up', async () => {
    const hangUp = new AbortController();
    const answer = await fetch(`${served.api.addresses.rest}/api/v1/replay`, { headers: { authorization: `Bearer ${ownerKey}` }, signal: hangUp.signal });
    await answer.body!.getReader().read();
    await standsStill();
    expect(ended).toBe(false);
    hangUp.abort();
    await until('the log is left', () => ended);
  });

  test('is told nothing without the permission', async () => {
    const error = await new Promise<ServiceError>((resolve) => replayOver(audit, {}, readerKey).on('error', resolve).on('data', () => undefined));
    expect(statusDetails(error)).toMatchObject({ reason: 'MISSING_PERMISSION' });
    expect(given).toBe(0);
  });
});

test('who may read the audit of one project is told of that one, and not what its events led to elsewhere', async () => {
  const served = await testApi();
  (served.core as any).authenticate = async () => ({ actor: 'key:one', may: (permission: string, project?: string) => permission === 'audit.read' && project === 'a' });
  (served.core.eventStore as any).endOfLog = async () => ({ commit: 0n, prepare: 0n });
  (served.core.eventStore as any).readLog = async function* () {};
  const ask = async (path: string) => (await fetch(`${served.api.addresses.rest}/api/v1/${path}`, { headers: { authorization: `Bearer ${ownerKey}` } })).status;
  try {
    for (const path of ['events', 'replay']) {
      expect([await ask(`${path}?project=a`), await ask(`${path}?project=a&effects=true`), await ask(`${path}?project=b`), await ask(path)]).toEqual([200, 403, 403, 403]);
    }
  } finally {
    await served.close();
  }
});
