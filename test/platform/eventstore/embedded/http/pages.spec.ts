import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { startEventStore, type RunningEventStore } from '../../../../../src/platform/eventstore/embedded/index.js';
import { until } from '../../../../support/until.js';

let node: RunningEventStore;
let client: EventStoreDBClient;
const slow: { method: string; stream?: string | undefined; ms: number }[] = [];

beforeEach(async () => {
  slow.length = 0;
  node = await startEventStore({ slowMs: 0, onSlow: (one) => slow.push(one) });
  client = EventStoreDBClient.connectionString(node.connectionString);
});
afterEach(async () => {
  await client.dispose();
  await node.close();
});

const page = (path: string) => fetch(`http://127.0.0.1:${node.port}${path}`);

test('the port that speaks gRPC answers pages too: it lives, says what it is, and what it does not have', async () => {
  expect((await page('/health/live')).status).toBe(204);
  expect(await (await page('/info')).json()).toMatchObject({ dbVersion: '24.6.0.0', state: 'leader', authentication: { type: 'insecure' } });
  expect((await page('/nothing')).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${node.port}/info`, { method: 'PUT' })).status).toBe(405);
  await expect(client.appendToStream('s', jsonEvent({ type: 'T', data: {} }))).resolves.toMatchObject({ success: true });
});

test('the metrics count calls by how they ended, appends by their time, and what is open', async () => {
  for (let i = 0; i < 3; i++) await client.appendToStream('s', [jsonEvent({ type: 'T', data: {} }), jsonEvent({ type: 'T', data: {} })]);
  for await (const _ of client.readStream('s'));
  await client.tombstoneStream('s');
  await client.deleteStream('s').catch(() => undefined);
  const text = await (await page('/metrics')).text();
  expect(text).toContain('eventstore_appended_events_total 6\n');
  expect(text).toContain('eventstore_calls_total{method="Streams/Read",code="0"} 1\n');
  expect(text).toContain('eventstore_calls_total{method="Streams/Delete",code="9"} 1\n');
  expect(text).toContain('eventstore_open_calls{method="Streams/BatchAppend"} 1\n');
  expect(text).toContain('eventstore_request_seconds_count{method="Streams/BatchAppend"} 3\n');
  expect(text).toMatch(/eventstore_log_end_position \d+\n/);
  // Every line is either a comment or one sample.
  for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^(# (HELP|TYPE) eventstore_\w+ .+|eventstore_\w+(\{[^}]*\})? [\d.e+-]+)$/);
});

test('a slow request is told with its method, its stream and its time, and a subscription that waits is not slow', async () => {
  const subscription = client.subscribeToStream('s');
  subscription.on('error', () => undefined);
  await new Promise((resolve) => subscription.once('confirmation', () => resolve(undefined)));
  await client.appendToStream('s', jsonEvent({ type: 'T', data: {} }));
  for await (const _ of client.readStream('s'));
  await subscription.unsubscribe();
  await page('/metrics');
  expect(slow.filter(({ stream }) => stream === 's').map(({ method }) => method)).toEqual(['Streams/BatchAppend', 'Streams/Read']);
});

test('a read whose client takes its time is not a slow request', async () => {
  const events = () => Array.from({ length: 500 }, () => jsonEvent({ type: 'T', data: { fill: 'x'.repeat(1_500) } }));
  for (let n = 0; n < 4; n++) await client.appendToStream('long', events());
  const read = async (rest_ms: number) => {
    slow.length = 0;
    let events = 0;
    const begun = performance.now();
    for await (const _ of client.readStream('long')) if (events++ % 500 === 0) await pause(rest_ms);
    expect(events).toBe(2_000);
    await until('it is told', () => slow.length > 0);
    expect(slow).toMatchObject([{ method: 'Streams/Read', stream: 'long' }]);
    return performance.now() - begun;
  };
  // However slow the machine is, most of the time is the client's.
  const took_ms = await read(500 + (await read(0)));
  expect(slow[0]!.ms).toBeLessThan(took_ms / 2);
});

test('a connection that sends its first bytes one by one, or goes before they are all there, harms nobody', async () => {
  const broken = connect(node.port, '127.0.0.1');
  broken.end('P');
  await once(broken.resume(), 'close');
  const slowly = connect(node.port, '127.0.0.1');
  slowly.setNoDelay(true);
  let heard = '';
  slowly.setEncoding('latin1').on('data', (text: string) => (heard += text));
  for (const byte of 'GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n') await new Promise((resolve) => slowly.write(byte, resolve));
  await once(slowly, 'close');
  expect(heard).toContain('204');
});
