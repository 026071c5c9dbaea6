import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ANY, BACKWARDS, END, EventStoreDBClient, NO_STREAM, binaryEvent, jsonEvent } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { EventStore } from '../../../../src/platform/eventstore/embedded/store/event-store.js';
import { startEventStore, type RunningEventStore } from '../../../../src/platform/eventstore/embedded/index.js';
import { until } from '../../../support/until.js';

let node: RunningEventStore;
let client: EventStoreDBClient;
let number = 0;

beforeAll(async () => {
  node = await startEventStore({ projections: false });
  client = EventStoreDBClient.connectionString(node.connectionString);
});
afterAll(async () => {
  await client.dispose();
  await node.close();
});

const event = () => jsonEvent({ type: 'T', data: {} });
const events = (count: number) => Array.from({ length: count }, event);

async function aStream(count: number): Promise<string> {
  const stream = `s${++number}`;
  if (count > 0) await client.appendToStream(stream, events(count));
  return stream;
}

async function revisions(stream: string): Promise<number[]> {
  const read: number[] = [];
  for await (const { event: each } of client.readStream(stream)) read.push(Number(each!.revision));
  return read;
}

describe('metadata that the real server does not understand', () => {
  test.each([
    ['a count of 0', { $maxCount: 0 }],
    ['a negative count', { $maxCount: -1 }],
    ['an age of 0', { $maxAge: 0 }],
    ['a negative truncation', { $tb: -1 }],
    ['a count that is no whole number', { $maxCount: 1.5, $tb: 3 }],
    ['a count as text', { $maxCount: '1', $tb: 3 }],
    ['no count at all', { $maxCount: null, $tb: 3 }],
    ['an access list of something else', { $acl: { x: 1 }, $tb: 3 }],
    ['a truncation beyond every revision, as JavaScript rounds it', { $tb: 2 ** 63 }],
    ['no object', [1, 2]],
  ])('hides nothing: %s', async (_, data) => {
    const stream = await aStream(4);
    await client.appendToStream(`$$${stream}`, jsonEvent({ type: '$metadata', data: data as never }));
    expect(await revisions(stream)).toEqual([0, 1, 2, 3]);
  });

  test('hides nothing: bytes', async () => {
    const stream = await aStream(3);
    await client.appendToStream(`$$${stream}`, binaryEvent({ type: '$metadata', data: Buffer.from('{"$maxCount":1}') }));
    expect(await revisions(stream)).toEqual([0, 1, 2]);
    await client.setStreamMetadata(stream, { maxCount: 1 });
    expect(await revisions(stream)).toEqual([2]);
  });
});

describe('a stream that was deleted', () => {
  test('is there again, though empty, after an append without events', async () => {
    const stream = await aStream(2);
    await client.deleteStream(stream);
    await client.appendToStream(stream, []);
    expect(await revisions(stream)).toEqual([]);
    await client.appendToStream(stream, event());
    expect(await revisions(stream)).toEqual([2]);
  });

  test('shows its events again when its metadata is overwritten with what is none', async () => {
    const stream = await aStream(2);
    await client.deleteStream(stream);
    await client.appendToStream(`$$${stream}`, binaryEvent({ type: '$metadata', data: Buffer.from('not JSON') }));
    expect(await revisions(stream)).toEqual([0, 1]);
  });

  test('for good takes no metadata when it never had any', async () => {
    const [without, withMetadata] = [await aStream(1), await aStream(1)];
    await client.setStreamMetadata(withMetadata, { maxCount: 3 });
    for (const stream of [without, withMetadata]) await client.tombstoneStream(stream);
    await expect(client.setStreamMetadata(without, { maxCount: 1 })).rejects.toMatchObject({ type: 'stream-deleted', streamName: `$$${without}` });
    expect((await client.setStreamMetadata(withMetadata, { maxCount: 1 })).success).toBe(true);
  });
});

describe('an event id', () => {
  test('that is written to a second stream stays known by the first', async () => {
    const [first, second] = [await aStream(0), await aStream(0)];
    const same = event();
    for (const stream of [first, second, first, second]) await client.appendToStream(stream, same, { expectedRevision: ANY });
    expect([await revisions(first), await revisions(second)]).toEqual([[0], [0, 1]]);
  });

  test('that comes twice in one append stays known by its first place', async () => {
    const stream = await aStream(0);
    const same = event();
    expect(Number((await client.appendToStream(stream, [same, same])).nextExpectedRevision)).toBe(1);
    expect(Number((await client.appendToStream(stream, [same, same])).nextExpectedRevision)).toBe(0);
    expect(await revisions(stream)).toEqual([0, 1]);
  });

  test('of an event that is too old to be read is repeated without a position', async () => {
    const stream = await aStream(0);
    const old = event();
    await client.appendToStream(stream, old, { expectedRevision: NO_STREAM });
    await client.setStreamMetadata(stream, { maxAge: 1 });
    await until('it is too old', async () => (await revisions(stream)).length === 0);
    expect(await client.appendToStream(stream, old, { expectedRevision: NO_STREAM })).toMatchObject({ success: true, nextExpectedRevision: 0n, position: undefined });
    for await (const _ of client.readStream(stream, { direction: BACKWARDS, fromRevision: END })) throw new Error('It was written again.');
  });
});

test('an append is as large as the real server counts it: two bytes for a character of a type, whatever it takes in UTF-8', async () => {
  const stream = await aStream(0);
  const limit = 1024 * 1024;
  const type = 'тип 🚀';
  const fitting = (more: number) => binaryEvent({ type, data: Buffer.alloc(limit - 2 * type.length + more) });
  await expect(client.appendToStream(stream, fitting(1))).rejects.toMatchObject({ type: 'maximum-append-size-exceeded', maxAppendSize: limit });
  expect((await client.appendToStream(stream, fitting(0))).success).toBe(true);
});

test('a stream without a name is not written', async () => {
  for (const name of ['', '$$']) {
    await expect(client.appendToStream(name, event())).rejects.toThrow('is not the name of a stream');
    await expect(client.appendToStream(name, event(), { credentials: { username: 'admin', password: 'changeit' } })).rejects.toThrow('is not the name of a stream');
    await expect(client.tombstoneStream(name)).rejects.toThrow('is not the name of a stream');
  }
});

test('what is forgotten of streams while there are many is never what is being written', async () => {
  const store = await EventStore.open(undefined);
  const [stream, described] = ['$$described', 'described'];
  store.streams.get(stream);
  for (let n = 1; n < 20_000; n++) store.streams.get(`other-${n}`);
  const append = () => new Promise<unknown>((resolve) => store.append(stream, 'any', [{ id: randomUUID(), type: Buffer.from('$metadata'), isJson: true, metadata: Buffer.alloc(0), data: Buffer.from('{}') }], resolve));
  const outcomes = [append(), append()];
  expect(await Promise.all(outcomes)).toMatchObject([{ revision: 0 }, { revision: 1 }]);
  expect(store.streams.get(described).committed.last).toBe(-1);
  await store.close();
});
