import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  AppendTooLarge,
  comparePositions,
  connect,
  EventStoreRefused,
  startOfLog,
  StreamDeleted,
  WrongExpectedRevision,
  type Batch,
  type EventStore,
  type LogFilter,
  type NewEvent,
  type Position,
  type StoredEvent,
} from '../../src/platform/eventstore/index.js';
import { testEventStore, type TestEventStore } from '../support/eventstore.js';

const realServer = process.env['TARL_TEST_EVENTSTORE_URL'];

/** A server to run the suite against, and how to be rid of it. */
const servers: [string, () => Promise<TestEventStore>][] = [['the embedded node', testEventStore]];
if (realServer) servers.push(['a real server', async () => ({ url: realServer, close: async () => undefined })]);

describe.each(servers)('the event store port on %s', (_, start) => {
  let server: TestEventStore;
  let store: EventStore;

  beforeAll(async () => {
    server = await start();
    store = connect(server.url);
  });

  afterAll(async () => {
    await store.close();
    await server.close();
  });

  describe('an append', () => {
    test('says where its last event stands, in the stream and in the log', async () => {
      const stream = aStream();
      const first = await store.append(stream, [anEvent(), anEvent()], { expected: 'none' });
      const second = await store.append(stream, [anEvent()], { expected: 1n });
      expect([first.revision, second.revision]).toEqual([1n, 2n]);
      const events = await all(store.readStream(stream));
      expect(events[1]!.position).toEqual(first.position);
      expect(events[2]!.position).toEqual(second.position);
      expect(comparePositions(first.position, second.position)).toBeLessThan(0);
      expect(comparePositions(events[0]!.position, startOfLog)).toBeGreaterThan(0);
    });

    test('keeps every part of an event as it was given', async () => {
      const stream = aStream();
      const event = { id: randomUUID(), type: 'Ünïcode “Happened”', data: { text: 'ä\u0000€😀', nested: [1.5, null, { deep: true }] }, metadata: { actor: 'zoë', schema: 3 } };
      const before = Date.now();
      await store.append(stream, [event], { expected: 'none' });
      const [stored] = await all(store.readStream(stream));
      expect(stored).toMatchObject({ ...event, stream, revision: 0n });
      expect(Math.abs(stored!.recordedAt.getTime() - before)).toBeLessThan(3_600_000);
      expect(JSON.parse(Buffer.from(stored!.rawData!).toString())).toEqual(event.data);
    });

    test.each([
      ['nothing, where there is something', 'none', 0n],
      ['an earlier revision', 0n, 1n],
      ['a later revision', 5n, 1n],
    ] as const)('that expects %s is refused and says what is there', async (_case, expected, actual) => {
      const stream = aStream();
      for (let n = 0n; n <= actual; n++) await store.append(stream, [anEvent()], { expected: 'any' });
      const refused = store.append(stream, [anEvent()], { expected });
      await expect(refused).rejects.toThrow(WrongExpectedRevision);
      await expect(refused).rejects.toMatchObject({ stream, expected, actual });
      expect(await all(store.readStream(stream))).toHaveLength(Number(actual) + 1);
    });

    test('that expects a stream to be there is refused where there is none', async () => {
      const stream = aStream();
      for (const expected of ['exists', 0n] as const) {
        await expect(store.append(stream, [anEvent()], { expected })).rejects.toMatchObject({ name: 'WrongExpectedRevision', stream, expected, actual: 'none' });
      }
      await store.append(stream, [anEvent()], { expected: 'none' });
      await expect(store.append(stream, [anEvent()], { expected: 'exists' })).resolves.toMatchObject({ revision: 1n });
    });

    test('repeated with the same ids and revision answers as the first time and writes nothing', async () => {
      const stream = aStream();
      const events = [anEvent(), anEvent()];
      const first = await store.append(stream, events, { expected: 'none' });
      await store.append(stream, [anEvent()], { expected: 1n });
      expect((await store.append(stream, events, { expected: 'none' })).revision).toBe(first.revision);
      expect(await all(store.readStream(stream))).toHaveLength(3);
    });

    test('larger than the server takes is refused, and the appends beside it are not', async () => {
      const stream = aStream();
      const beside = store.append(aStream(), [anEvent()], { expected: 'none' });
      const large = store.append(stream, [{ ...anEvent(), data: 'x'.repeat(9 * 1024 * 1024) }], { expected: 'none' });
      await expect(large).rejects.toThrow(AppendTooLarge);
      await expect(beside).resolves.toMatchObject({ revision: 0n });
      await expect(store.append(stream, [{ ...anEvent(), data: 'x'.repeat(17 * 1024 * 1024) }], { expected: 'none' })).rejects.toThrow(AppendTooLarge);
      expect(await all(store.readStream(stream))).toEqual([]);
    });

    test('that is nonsense is refused before it is sent, and the appends beside it are not', async () => {
      const stream = aStream();
      const nonsense: NewEvent[][] = [[], [{ ...anEvent(), id: 'no-uuid' }], [{ ...anEvent(), type: '' }], [{ ...anEvent(), data: undefined }]];
      const beside = store.append(aStream(), [anEvent()], { expected: 'none' });
      for (const events of nonsense) await expect(store.append(stream, events, { expected: 'any' })).rejects.toThrow(EventStoreRefused);
      await expect(store.append(stream, [{ ...anEvent(), data: { n: 1n } }], { expected: 'any' })).rejects.toThrow(TypeError);
      await expect(store.append('', [anEvent()], { expected: 'any' })).rejects.toThrow(EventStoreRefused);
      await expect(beside).resolves.toMatchObject({ revision: 0n });
      expect(await all(store.readStream(stream))).toEqual([]);
    });

    test('is one of many at once: each gets its own answer', async () => {
      const streams = Array.from({ length: 200 }, aStream);
      const answers = await Promise.all(streams.map((stream, n) => store.append(stream, Array.from({ length: 1 + (n % 3) }, () => anEvent()), { expected: 'none' })));
      expect(answers.map((answer) => answer.revision)).toEqual(streams.map((_stream, n) => BigInt(n % 3)));
      expect(new Set(answers.map((answer) => answer.position.commit)).size).toBe(200);
    });

    test('of one writer among many to the same stream wins exactly once', async () => {
      const stream = aStream();
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => store.append(stream, [anEvent()], { expected: 'none' })));
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
      expect(await all(store.readStream(stream))).toHaveLength(1);
    });
  });

  describe('a read of a stream', () => {
    test('goes both ways, from any revision, as far as asked', async () => {
      const stream = await aStreamOf(5);
      const revisions = async (options: Parameters<EventStore['readStream']>[1]) => (await all(store.readStream(stream, options))).map((event) => Number(event.revision));
      expect(await revisions({})).toEqual([0, 1, 2, 3, 4]);
      expect(await revisions({ from: 2n })).toEqual([2, 3, 4]);
      expect(await revisions({ from: 1n, limit: 2 })).toEqual([1, 2]);
      expect(await revisions({ from: 'start', limit: 0 })).toEqual([]);
      expect(await revisions({ from: 9n })).toEqual([]);
      expect(await revisions({ direction: 'backwards' })).toEqual([4, 3, 2, 1, 0]);
      expect(await revisions({ direction: 'backwards', from: 2n })).toEqual([2, 1, 0]);
      expect(await revisions({ direction: 'backwards', from: 'end', limit: 2 })).toEqual([4, 3]);
    });

    test('finds nothing in a stream that is not there', async () => {
      expect(await all(store.readStream(aStream()))).toEqual([]);
      expect(await all(store.readStream(aStream(), { direction: 'backwards' }))).toEqual([]);
    });

    test('delivers a long stream whole', async () => {
      const stream = aStream();
      for (let n = 0; n < 10; n++) await store.append(stream, Array.from({ length: 500 }, () => anEvent()), { expected: 'any' });
      const events = await all(store.readStream(stream));
      expect(events.map((event) => Number(event.revision))).toEqual(Array.from({ length: 5_000 }, (_event, n) => n));
    });

    test('may be left early, again and again, without harm to the next', async () => {
      const stream = await aStreamOf(200);
      for (let n = 0; n < 30; n++) {
        for await (const event of store.readStream(stream)) {
          expect(event.revision).toBe(0n);
          break;
        }
      }
      expect(await all(store.readStream(stream))).toHaveLength(200);
    });
  });

  describe('a deleted stream', () => {
    test('has no events, and goes on counting when it is written again', async () => {
      const stream = await aStreamOf(3);
      await store.deleteStream(stream, { expected: 2n });
      expect(await all(store.readStream(stream))).toEqual([]);
      const events = [anEvent()];
      expect((await store.append(stream, events, { expected: 'none' })).revision).toBe(3n);
      expect((await all(store.readStream(stream))).map((event) => event.id)).toEqual([events[0]!.id]);
    });

    test('is left alone where the deletion expects another revision', async () => {
      const stream = await aStreamOf(3);
      await expect(store.deleteStream(stream, { expected: 0n })).rejects.toThrow(WrongExpectedRevision);
      await expect(store.deleteStream(aStream())).rejects.toThrow(WrongExpectedRevision);
      expect(await all(store.readStream(stream))).toHaveLength(3);
    });

    test('that was tombstoned says so to readers and writers', async () => {
      const stream = await aStreamOf(1);
      await store.tombstoneStream(stream);
      await expect(all(store.readStream(stream))).rejects.toThrow(StreamDeleted);
      await expect(store.append(stream, [anEvent()], { expected: 'any' })).rejects.toThrow(StreamDeleted);
      await expect(store.deleteStream(stream)).rejects.toThrow(StreamDeleted);
    });
  });

  describe('the metadata of a stream', () => {
    test('comes back as it was set, and is empty before', async () => {
      const stream = await aStreamOf(4);
      expect(await store.streamMetadata(stream)).toEqual({});
      const metadata = { maxCount: 2, acl: { readRoles: ['$all'], writeRoles: '$admins' }, owner: 'features' };
      await store.setStreamMetadata(stream, metadata);
      expect(await store.streamMetadata(stream)).toEqual(metadata);
      expect((await all(store.readStream(stream))).map((event) => event.revision)).toEqual([2n, 3n]);
    });

    test('truncates what is read', async () => {
      const stream = await aStreamOf(4);
      await store.setStreamMetadata(stream, { truncateBefore: 3 }, { expected: 'none' });
      expect((await all(store.readStream(stream))).map((event) => event.revision)).toEqual([3n]);
      await expect(store.setStreamMetadata(stream, {}, { expected: 'none' })).rejects.toThrow(WrongExpectedRevision);
    });
  });

  describe('a read of the log', () => {
    test('goes both ways from a position, which it leaves out', async () => {
      const { stream, positions } = await aStoryOf(5);
      const revisions = async (options: Parameters<EventStore['readLog']>[0]) =>
        (await all(store.readLog(options))).filter((event) => event.stream === stream).map((event) => Number(event.revision));
      expect(await revisions({ from: positions[1] })).toEqual([2, 3, 4]);
      expect(await revisions({ from: positions[1], limit: 2 })).toEqual([2, 3]);
      expect(await revisions({ from: positions[3], direction: 'backwards', limit: 3 })).toEqual([2, 1, 0]);
      expect(await revisions({ from: 'end' })).toEqual([]);
      expect(await revisions({ from: 'end', direction: 'backwards', limit: 2 })).toEqual([4, 3]);
      expect(await revisions({ from: 'start' })).toEqual([0, 1, 2, 3, 4]);
    });

    test('leaves out system events unless they are asked for', async () => {
      const from = await store.endOfLog();
      const stream = await aStreamOf(1);
      await store.setStreamMetadata(stream, { owner: 'me' });
      await store.append(stream, [anEvent()], { expected: 0n });
      expect((await all(store.readLog({ from }))).map((event) => event.stream)).toEqual([stream, stream]);
      expect((await all(store.readLog({ from, system: true }))).map((event) => event.stream)).toContain(`$$${stream}`);
    });

    test.each(['forwards', 'backwards'] as const)('with a filter delivers what matches, %s', async (direction) => {
      const from = await store.endOfLog();
      const category = `cat${randomUUID().slice(0, 8)}`;
      const wanted: string[] = [];
      for (let n = 0; n < 300; n++) {
        const event = anEvent(n % 2 ? 'Odd' : 'Even');
        await store.append(n % 3 ? `other-${n}` : `${category}-${n}`, [event], { expected: 'any' });
        if (n % 3 === 0) wanted.push(event.id);
      }
      const filter = { streamPrefixes: [`${category}-`] };
      const ids = async (limit?: number) =>
        (await all(store.readLog({ filter, direction, limit, ...(direction === 'forwards' && { from }) }))).map((event) => event.id);
      const expected = direction === 'forwards' ? wanted : wanted.toReversed();
      expect(await ids()).toEqual(expected);
      expect(await ids(7)).toEqual(expected.slice(0, 7));
      const odd = await all(store.readLog({ from, filter: { eventTypePrefixes: ['Od'] }, limit: 1_000 }));
      expect(odd).toHaveLength(150);
      expect(await all(store.readLog({ filter: { streamPrefixes: [`${category}-none-`] }, direction }))).toEqual([]);
    });

    test('refuses a filter that says nothing', async () => {
      await expect(all(store.readLog({ filter: { streamPrefixes: [] } }))).rejects.toThrow(RangeError);
    });

    test('finds its end behind whatever the server wrote itself', async () => {
      const stream = await aStreamOf(1);
      const { position } = await store.append(stream, [anEvent()], { expected: 0n });
      expect(await store.endOfLog()).toEqual(position);
      for (let n = 0; n < 10; n++) await store.setStreamMetadata(stream, { n });
      expect(await store.endOfLog()).toEqual(position);
      expect(await store.endOfLog()).toEqual(position);
      const next = await store.append(stream, [anEvent()], { expected: 1n });
      expect(await store.endOfLog()).toEqual(next.position);
    });
  });

  describe('a subscription', () => {
    test.each([false, true])('delivers what was there and what comes, once and in order, and says when it is live (on demand: %s)', async (onDemand) => {
      const from = await store.endOfLog();
      const { stream } = await aStoryOf(50);
      const stop = new AbortController();
      const revisions: number[] = [];
      let wroteMore = false;
      for await (const batch of store.subscribe({ from, signal: stop.signal, onDemand })) {
        revisions.push(...batch.events.filter((event) => event.stream === stream).map((event) => Number(event.revision)));
        if (batch.live && !wroteMore) {
          expect(revisions).toHaveLength(50);
          wroteMore = true;
          await store.append(stream, [anEvent(), anEvent()], { expected: 49n });
        }
        if (revisions.length === 52) stop.abort();
      }
      expect(revisions).toEqual(Array.from({ length: 52 }, (_revision, n) => n));
    });

    test.each([
      ['stream prefixes', (category: string): LogFilter => ({ streamPrefixes: [`${category}-`] })],
      ['event types', (category: string): LogFilter => ({ eventTypePrefixes: [category] })],
    ])('with a filter by %s delivers what matches, and reaches the end of the log', async (_case, filterOf) => {
      const from = await store.endOfLog();
      const category = `cat${randomUUID().slice(0, 8)}`;
      const wanted: string[] = [];
      for (let n = 0; n < 100; n++) {
        const event = anEvent(n % 10 ? 'Other' : `${category}Happened`);
        await store.append(n % 10 ? `other-${n}` : `${category}-${n}`, [event], { expected: 'any' });
        if (n % 10 === 0) wanted.push(event.id);
      }
      const end = await store.endOfLog();
      const { events, position } = await untilLive(from, filterOf(category));
      expect(events.map((event) => event.id)).toEqual(wanted);
      expect(comparePositions(position, end)).toBeGreaterThanOrEqual(0);
    });

    test('leaves out system events', async () => {
      const from = await store.endOfLog();
      const stream = await aStreamOf(1);
      await store.setStreamMetadata(stream, { owner: 'me' });
      const { events } = await untilLive(from);
      expect(events.map((event) => event.stream)).toEqual([stream]);
    });

    test.each([false, true])('goes on from a batch’s position, whatever the size of its batches (on demand: %s)', async (onDemand) => {
      const from = await store.endOfLog();
      const { stream } = await aStoryOf(40);
      const revisions: number[] = [];
      let position = from;
      while (revisions.length < 40) {
        for await (const batch of store.subscribe({ from: position, signal: new AbortController().signal, maxBuffer: 7, onDemand })) {
          if (batch.events.length === 0) continue;
          expect(batch.events.length).toBeLessThanOrEqual(7);
          revisions.push(...batch.events.filter((event) => event.stream === stream).map((event) => Number(event.revision)));
          position = batch.position;
          break;
        }
      }
      expect(revisions).toEqual(Array.from({ length: 40 }, (_revision, n) => n));
    });

    test('ends cleanly when its signal aborts, also before it began', async () => {
      const stop = new AbortController();
      const waiting = (async () => {
        for await (const batch of store.subscribe({ from: await store.endOfLog(), signal: stop.signal })) if (batch.live) setTimeout(() => stop.abort(), 10);
        return 'ended';
      })();
      expect(await waiting).toBe('ended');
      expect(await store.subscribe({ from: startOfLog, signal: stop.signal })[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
    });
  });

  describe('the connection', () => {
    test('is healthy, and closes without a trace of what it was doing', async () => {
      const other = connect(server.url);
      await other.health();
      const following = all(flat(other.subscribe({ from: startOfLog, signal: new AbortController().signal })));
      await other.append(aStream(), [anEvent()], { expected: 'none' });
      await other.close();
      await following;
      await expect(other.health()).rejects.toMatchObject({ name: 'EventStoreUnavailable' });
      await expect(other.append(aStream(), [anEvent()], { expected: 'any' })).rejects.toMatchObject({ name: 'EventStoreUnavailable', outcomeUnknown: false });
    });
  });

  async function aStreamOf(count: number): Promise<string> {
    const stream = aStream();
    await store.append(stream, Array.from({ length: count }, () => anEvent()), { expected: 'none' });
    return stream;
  }

  /** A stream whose events were appended one by one, and where they stand in the log. */
  async function aStoryOf(count: number): Promise<{ stream: string; positions: Position[] }> {
    const stream = aStream();
    const positions: Position[] = [];
    for (let n = 0; n < count; n++) positions.push((await store.append(stream, [anEvent()], { expected: 'any' })).position);
    return { stream, positions };
  }

  async function untilLive(from: Position, filter?: LogFilter): Promise<{ events: StoredEvent[]; position: Position }> {
    const events: StoredEvent[] = [];
    for await (const batch of store.subscribe({ from, filter, signal: new AbortController().signal })) {
      events.push(...batch.events);
      if (batch.live) return { events, position: batch.position };
    }
    throw new Error('the subscription ended before it was live');
  }
});

test.each(['nonsense', 'http://127.0.0.1:2113', 'esdb://user:secret@:nonsense'])('an address that is none (%s) is refused without telling its password', (url) => {
  expect(() => connect(url)).toThrow(EventStoreRefused);
  expect(() => connect(url)).not.toThrow(/secret/);
});

function aStream(): string {
  return `contract-${randomUUID()}`;
}

function anEvent(type = 'Happened'): NewEvent {
  return { id: randomUUID(), type, data: { n: 1 }, metadata: { actor: 'a-test' } };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* flat(batches: AsyncIterable<Batch>): AsyncIterable<StoredEvent> {
  for await (const batch of batches) yield* batch.events;
}
