import { afterEach, expect, test } from '@jest/globals';
import { ServerCredentials, status } from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerHttp2Session, type Settings } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type EventStore } from '../../../src/platform/eventstore/index.js';
import { until } from '../../support/until.js';
import { FakeServer } from './fake-server.js';
import { selfSigned } from './self-signed.js';

let server: FakeServer;
let store: EventStore | undefined;

afterEach(async () => {
  await store?.close();
  server.stop();
});

test('a cluster’s address leads to its leader, also after the leader was away', async () => {
  server = await new FakeServer().start();
  store = connect(`esdb+discover://127.0.0.1:${server.port}?tls=false&maxDiscoverAttempts=2`);
  await expect(append(store)).resolves.toMatchObject({ revision: 0n });
  server.stop();
  await expect(store.health()).rejects.toMatchObject({ name: 'EventStoreUnavailable' });
  const healed = append(store);
  await server.start();
  await expect(healed).resolves.toMatchObject({ revision: 0n });
});

test('what is read is as new as the leader, and what is followed comes from the node that the address prefers', async () => {
  const follower = await new FakeServer().start();
  server = await new FakeServer().start();
  server.followers = [follower.port];
  store = connect(`esdb+discover://127.0.0.1:${server.port}?tls=false&nodePreference=follower`);
  const { position } = await append(store);
  expect(server.events).toHaveLength(1);
  expect(await store.endOfLog()).toEqual(position);
  const stop = new AbortController();
  const following = (async () => { for await (const _ of store.subscribe({ from: position, signal: stop.signal })); })();
  await until('the follower is asked', () => follower.readCalls.size > 0);
  stop.abort();
  await following;
  follower.stop();
});

test('user, password and TLS are used for every kind of call, and a wrong password is told as such', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tarl-test-tls-'));
  const { certificate, key } = selfSigned();
  await writeFile(join(folder, 'ca.pem'), certificate);
  server = await new FakeServer().start(ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) }]));
  server.faults.onRead = (call, answer) => (allowed(call) ? answer() : call.emit('error', denied));
  server.faults.onAppend = (_, call, answer) => (allowed(call) ? call.write(answer()) : call.emit('error', denied));
  const address = (password: string) => `esdb://tarl:${encodeURIComponent(password)}@localhost:${server.port}?tlsCAFile=${encodeURIComponent(join(folder, 'ca.pem'))}`;

  store = connect(address('p:@ss'));
  await expect(append(store)).resolves.toMatchObject({ revision: 0n });
  await store.health();
  const stranger = connect(address('wrong'));
  await expect(append(stranger)).rejects.toMatchObject({ name: 'AccessDenied' });
  await expect(stranger.health()).rejects.toMatchObject({ name: 'AccessDenied' });
  await stranger.close();
  await rm(folder, { recursive: true });
});

test('a server whose certificate nobody vouches for is not talked to', async () => {
  const { certificate, key } = selfSigned();
  server = await new FakeServer().start(ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) }]));
  store = connect(`esdb://tarl:secret@localhost:${server.port}`);
  await expect(store.health()).rejects.toMatchObject({ name: 'EventStoreUnavailable' });
  expect(server.readCalls.size).toBe(0);
});

test('a server may send much before it has to wait for us, so that large events are not read 64 KiB at a time', async () => {
  server = await new FakeServer().start();
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  store = connect(`esdb://127.0.0.1:${(http.address() as AddressInfo).port}?tls=false`);
  store.health({ deadlineMs: 60_000 }).catch(() => undefined);
  const [session] = (await once(http, 'session')) as [ServerHttp2Session];
  const [{ initialWindowSize }] = (await once(session, 'remoteSettings')) as [Settings];
  session.destroy();
  http.close();
  expect(initialWindowSize).toBeGreaterThanOrEqual(1024 * 1024);
});

const denied = Object.assign(new Error('no'), { code: status.UNAUTHENTICATED });

function allowed(call: { metadata: { get(key: string): unknown[] } }): boolean {
  return call.metadata.get('authorization')[0] === `Basic ${Buffer.from('tarl:p:@ss').toString('base64')}`;
}

function append(store: EventStore) {
  return store.append(`s-${randomUUID()}`, [{ id: randomUUID(), type: 'Happened', data: {}, metadata: {} }], { expected: 'none' });
}
