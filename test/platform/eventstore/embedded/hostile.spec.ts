import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EventStoreDBClient, jsonEvent, persistentSubscriptionToStreamSettingsFromDefaults, START } from '@eventstore/db-client';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { MEMORY_FLAGS } from '../../../../src/platform/eventstore/embedded/memory-flags.js';
import { until } from '../../../support/until.js';
import { temporaryFolder } from './filled.js';
import { NodeProcess } from './node-process.js';
import { seeded } from './seeded.js';

const mostMiB = 200;
const methods = ['streams.Streams/Read', 'streams.Streams/Append', 'streams.Streams/BatchAppend', 'streams.Streams/Delete', 'streams.Streams/Tombstone', 'persistent_subscriptions.PersistentSubscriptions/Create', 'persistent_subscriptions.PersistentSubscriptions/Update', 'persistent_subscriptions.PersistentSubscriptions/Delete', 'persistent_subscriptions.PersistentSubscriptions/Read', 'persistent_subscriptions.PersistentSubscriptions/GetInfo', 'persistent_subscriptions.PersistentSubscriptions/ReplayParked', 'persistent_subscriptions.PersistentSubscriptions/List', 'projections.Projections/Create', 'projections.Projections/Statistics', 'projections.Projections/Reset', 'projections.Projections/State', 'operations.Operations/StartScavenge', 'operations.Operations/StopScavenge', 'gossip.Gossip/Read', 'server_features.ServerFeatures/GetSupportedMethods'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let node: NodeProcess;
let client: EventStoreDBClient;

beforeAll(async () => {
  folder = await temporaryFolder();
  node = await NodeProcess.start(folder.path, MEMORY_FLAGS);
  client = EventStoreDBClient.connectionString(node.url);
});
afterAll(async () => {
  await client.dispose();
  expect(await node.stop()).toBe(0);
  await folder.remove();
});

const residentMiB = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8'))?.[1]) / 1024;

/** The node takes an append and gives it back, within its memory. */
async function expectServing(): Promise<void> {
  const event = jsonEvent({ type: 'Still', data: {} });
  const { nextExpectedRevision } = await client.appendToStream('still-serving', event);
  for await (const { event: read } of client.readStream('still-serving', { fromRevision: nextExpectedRevision })) expect(read!.id).toBe(event.id);
  expect(residentMiB()).toBeLessThan(mostMiB);
}

/** One number of the node's metrics. */
async function measure(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${node.port}/metrics`)).text();
  return Number(text.split('\n').find((line) => line.startsWith(`${name} `))!.slice(name.length));
}

const openings = [
  () => Buffer.alloc(0),
  () => Buffer.from('P'),
  () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  () => Buffer.from('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'),
  (random: (below: number) => number) => Buffer.from(Array.from({ length: 64 }, () => random(256))),
];

/** Opens a connection, says something or nothing, and is gone: politely or by reset. */
function comeAndGo(random: (below: number) => number): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect(node.port, '127.0.0.1', () => {
      const opening = openings[random(openings.length)]!(random);
      const leave = () => (random(2) === 0 ? socket.resetAndDestroy() : socket.destroy());
      if (opening.length === 0) leave();
      else socket.write(opening, leave);
    });
    socket.on('error', () => undefined).on('close', () => resolve());
  });
}

test('10,000 connections that are opened and dropped, in the middle of a word or of nothing, leave the node as it was', async () => {
  const random = seeded(1);
  for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 200 }, () => comeAndGo(random)));
  await expectServing();
  await until('all connections but ours are forgotten', async () => (await measure('eventstore_connections')) <= 3);
});

function framed(message: Buffer, announced = message.length): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(announced, 1);
  return Buffer.concat([header, message]);
}

interface Status {
  readonly code: number;
  readonly message: string;
}

/** The gRPC status with which a call ends that sends these bytes. */
function statusOf(session: ClientHttp2Session, method: string, body: Buffer): Promise<Status> {
  const call: ClientHttp2Stream = session.request({ ':method': 'POST', ':path': `/event_store.client.${method}`, 'content-type': 'application/grpc', te: 'trailers' });
  return new Promise((resolve, reject) => {
    const take = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] === undefined) return;
      resolve({ code: Number(headers['grpc-status']), message: decodeURIComponent(String(headers['grpc-message'] ?? '')) });
      call.close();
    };
    call.on('response', take).on('trailers', take).on('error', reject).on('close', () => reject(new Error(`${method} ended without a status`)));
    call.resume().end(body);
  });
}

test.each(methods)('what is no message harms nobody: %s answers, and not that it failed', async (method) => {
  const session = connectHttp2(`http://127.0.0.1:${node.port}`);
  const random = seeded(methods.indexOf(method) + 7);
  try {
    for (let round = 0; round < 30; round++) {
      const bytes = Buffer.from(Array.from({ length: 1 + random(80) }, () => random(256)));
      // Field 1 as a message that says it is longer than it is; the fields of a request with nonsense in them.
      const message = round % 3 === 0 ? Buffer.concat([Buffer.from([0x0a, 0xff, 0xff, 0x03]), bytes]) : round % 3 === 1 ? Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]) : bytes;
      expect((await statusOf(session, method, framed(message))).message).not.toContain('The event store failed');
    }
  } finally {
    session.destroy();
  }
  await expectServing();
});

test('a message that says it is a gigabyte is refused before it is there', async () => {
  const session = connectHttp2(`http://127.0.0.1:${node.port}`);
  expect(await statusOf(session, 'streams.Streams/BatchAppend', framed(Buffer.alloc(100), 1 << 30))).toMatchObject({ code: 8 });
  session.destroy();
  await expectServing();
});

test('clients that subscribe and never read cost the node next to nothing, and hold nobody up', async () => {
  const fill = 'x'.repeat(4_000);
  for (let n = 0; n < 40; n++) await client.appendToStream('much', Array.from({ length: 200 }, () => jsonEvent({ type: 'Much', data: { fill } })));
  const before = residentMiB();
  // Options of a read of everything from its start, as a subscription: { options: { all: { start }, subscription, no_filter, uuid_option } }.
  const subscribe = framed(Buffer.from('0a0e12021200320042005a00' + '62021200', 'hex'));
  const sessions = Array.from({ length: 20 }, () => connectHttp2(`http://127.0.0.1:${node.port}`));
  const calls = sessions.map((session) => session.request({ ':method': 'POST', ':path': '/event_store.client.streams.Streams/Read', 'content-type': 'application/grpc', te: 'trailers' }));
  await Promise.all(calls.map((call) => new Promise((resolve, reject) => {
    call.on('error', reject).once('response', (headers) => (headers['grpc-status'] === undefined ? resolve(headers) : reject(new Error(String(headers['grpc-message'])))));
    call.end(subscribe);
  })));
  for (let n = 0; n < 20; n++) await client.appendToStream('more', Array.from({ length: 200 }, () => jsonEvent({ type: 'More', data: { fill } })));
  await expectServing();
  await until('nobody else reads', async () => (await measure('eventstore_open_calls{method="Streams/Read"}')) <= sessions.length);
  expect(await measure('eventstore_open_calls{method="Streams/Read"}')).toBe(sessions.length);
  await until('it has let go of what it needed for a moment', () => residentMiB() - before < 64);
  for (const session of sessions) session.destroy();
});

test('appends that begin and never end fill no memory: their call is ended', async () => {
  const session = connectHttp2(`http://127.0.0.1:${node.port}`);
  const call = session.request({ ':method': 'POST', ':path': '/event_store.client.streams.Streams/BatchAppend', 'content-type': 'application/grpc', te: 'trailers' });
  // A call that is answered with nothing but its end has that in its headers.
  const ended = new Promise<unknown>((resolve) => call.on('error', () => undefined).on('trailers', (trailers) => resolve(trailers['grpc-status'])).on('response', (headers) => headers['grpc-status'] && resolve(headers['grpc-status'])));
  call.resume();
  // { correlation_id: { string }, options: { stream_identifier: { "u" }, any } }, without is_final.
  for (let n = 0; n < 1_001; n++) call.write(framed(Buffer.concat([Buffer.from('0a061204', 'hex'), Buffer.from(String(1000 + n)), Buffer.from('12070a031a01752200', 'hex')])));
  expect(await ended).toBe('8');
  session.destroy();
  await expectServing();
});

test('a reader of a group that never reads is sent no more than it takes', async () => {
  const fill = 'x'.repeat(1_000_000);
  for (let n = 0; n < 30; n++) await client.appendToStream('large', jsonEvent({ type: 'Large', data: { fill } }));
  await client.createPersistentSubscriptionToStream('large', 'nobody', persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START }));
  await until('all of them wait', async () => (await client.getPersistentSubscriptionToStreamInfo('large', 'nobody')).stats.lastKnownEventRevision === 29n);
  // { options: { stream_identifier: { stream_name: "large" }, group_name: "nobody", buffer_size: 100000, uuid_option: { string } } }
  const read = framed(Buffer.from('0a19' + '0a071a056c61726765' + '12066e6f626f6479' + '18a08d06' + '22021200', 'hex'));
  const session = connectHttp2(`http://127.0.0.1:${node.port}`);
  const call = session.request({ ':method': 'POST', ':path': '/event_store.client.persistent_subscriptions.PersistentSubscriptions/Read', 'content-type': 'application/grpc', te: 'trailers' });
  await new Promise((resolve, reject) => {
    call.on('error', reject).once('response', (headers) => (headers['grpc-status'] === undefined ? resolve(headers) : reject(new Error(String(headers['grpc-message'])))));
    call.write(read);
  });
  await until('it has a reader', async () => (await client.getPersistentSubscriptionToStreamInfo('large', 'nobody')).stats.totalInFlightMessages > 0);
  expect((await client.getPersistentSubscriptionToStreamInfo('large', 'nobody')).stats.totalInFlightMessages).toBeLessThan(10);
  session.destroy();
  await client.deletePersistentSubscriptionToStream('large', 'nobody');
});

test('long names of streams that are not there are forgotten again, and told in part only', async () => {
  const before = residentMiB();
  for (let n = 0; n < 150; n++) await client.deleteStream(`${'n'.repeat(1_000_000)}${n}`).catch(() => undefined);
  await until('it has let go of what it needed for a moment', () => residentMiB() - before < 64);
});
