import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { advance, Aggregates, type Aggregate } from '../../../src/commands/kit/aggregates.js';
import { hashOf } from '../../../src/commands/kit/snapshots/folds-version.js';
import { PostgresSnapshots } from '../../../src/commands/kit/snapshots/postgres.js';
import { longStream } from '../../../src/commands/kit/snapshots/snapshots.js';
import { defineDecider, defineEvent } from '../../../src/domain/kit/index.js';
import { StreamDeleted } from '../../../src/platform/eventstore/errors.js';
import { connect } from '../../../src/platform/eventstore/index.js';
import type { EventStore, NewEvent, StreamReadOptions } from '../../../src/platform/eventstore/port.js';
import { connectDataSource } from '../../../src/platform/postgres/data-source.js';
import { testEventStore, type TestEventStore } from '../../support/eventstore.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';

/** A state of all that JSON does not know. */
interface Tally {
  readonly sums: ReadonlyMap<string, bigint>;
  readonly seen: ReadonlySet<number>;
  readonly last?: string;
}
const tally = defineDecider({
  category: 'tally',
  events: [defineEvent('Counted', z.object({ by: z.int(), name: z.string() }))] as const,
  initialState: { sums: new Map(), seen: new Set() } as Tally,
  on: {
    Counted: ({ sums, seen }, { by, name }): Tally => ({ sums: new Map(sums).set(name, (sums.get(name) ?? 0n) + BigInt(by)), seen: new Set([...seen, by % 7]), last: name }),
  },
});

let server: TestEventStore;
let eventStore: EventStore;
let database: TestDatabase;
let read = 0;
let asked = 0;
const complaints: unknown[] = [];
beforeAll(async () => {
  [server, database] = await Promise.all([testEventStore(), testDatabase()]);
  eventStore = connect(server.url);
  await (await connectDataSource(database.url, [])).destroy();
});
afterAll(async () => {
  await eventStore.close();
  await server.close();
  await database.drop();
});
beforeEach(() => {
  read = asked = 0;
  complaints.length = 0;
});

/** The event store, which counts what is read of it. */
const counting: Pick<EventStore, 'readStream'> = {
  async *readStream(stream: string, options?: StreamReadOptions) {
    for await (const event of eventStore.readStream(stream, options)) {
      read++;
      yield event;
    }
  },
};
const pool = { query: (...query: unknown[]) => (asked++, (database.pool.query as any)(...query)) } as never;
/** A process that has just started: nothing in memory, and the folds of a release. */
function newProcess(folds = 'this release') {
  const snapshots = new PostgresSnapshots(pool, (error) => complaints.push(error), () => folds);
  return { snapshots, aggregates: new Aggregates(counting as EventStore, snapshots) };
}
const plain = (stream: string) => new Aggregates(eventStore).load(tally, stream);

const countedEvent = (by: number): NewEvent => ({ id: randomUUID(), type: 'Counted', data: { by, name: `n${by % 5}` }, metadata: { version: 1, commandId: randomUUID(), bodyHash: `${by}` } });
async function count(stream: string, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 500) await eventStore.append(stream, Array.from({ length: Math.min(500, to - at) }, (_, index) => countedEvent(at + index)), { expected: 'any' });
}
let streams = 0;
/** A long stream of which a process has kept the fold. */
async function longStreamKept(events = 2 * longStream): Promise<string> {
  const stream = `tally-${++streams}`;
  await count(stream, 0, events);
  const { aggregates, snapshots } = newProcess();
  await aggregates.load(tally, stream);
  await snapshots.settled();
  read = asked = 0;
  return stream;
}

describe('after a restart', () => {
  test('a long stream has the state that its events give, and few of them are read', async () => {
    const stream = await longStreamKept(5 * longStream);
    await count(stream, 5 * longStream, 5 * longStream + 30);
    expect(await newProcess().aggregates.load(tally, stream)).toEqual(await plain(stream));
    expect(read).toBe(longStream + 1 + 30);
  });

  test('a short stream is read without a question to Postgres', async () => {
    await count('tally-short', 0, longStream - 1);
    await newProcess().aggregates.load(tally, 'tally-short');
    expect(asked).toBe(0);
  });

  test('a stream that has grown in memory alone has its snapshot, and another one when it has grown by a tenth', async () => {
    const stream = `tally-${++streams}`;
    const { aggregates, snapshots } = newProcess();
    let aggregate: Aggregate<Tally> = await aggregates.load(tally, stream);
    const taken: bigint[] = [];
    for (let at = 0; at < 12_500; at += 250) {
      const events = Array.from({ length: 250 }, (_, index) => countedEvent(at + index));
      const { revision, position } = await eventStore.append(stream, events, { expected: 'any' });
      aggregate = advance(tally, aggregate, events.map((event, index) => ({ ...event, stream, revision: revision - 249n + BigInt(index), position })));
      aggregates.keep(stream, aggregate);
      await snapshots.settled();
      const kept = (await snapshots.find(stream))?.revision;
      if (kept !== undefined && kept !== taken.at(-1)) taken.push(kept);
    }
    expect(taken.map((revision) => Number(revision) + 1)).toEqual([1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 11_000, 12_250]);
    expect(await newProcess().aggregates.load(tally, stream)).toEqual(await plain(stream));
  });
});

describe('a snapshot is passed over', () => {
  const expectRead = async (stream: string, folds?: string) => {
    expect(await newProcess(folds).aggregates.load(tally, stream)).toEqual(await plain(stream));
    expect(read).toBeGreaterThanOrEqual(2 * longStream);
  };

  test('when another release made it, whose folds may mean something else', async () => {
    await expectRead(await longStreamKept(), 'another release');
    expect(complaints).toEqual([]);
  });

  test('when it is not what was written', async () => {
    const stream = await longStreamKept();
    await database.pool.query(`update stream_snapshots set body = set_byte(body, 40, (get_byte(body, 40) + 1) % 256) where stream = $1`, [stream]);
    await expectRead(stream);
    expect(complaints).toEqual([expect.objectContaining({ message: `The snapshot of ${stream} is not what was written` })]);
  });

  test('when it ends behind the end of the stream, or with another event than the stream holds, as after a restored backup', async () => {
    const stream = await longStreamKept();
    const { snapshots } = newProcess();
    const good = (await snapshots.find(stream))!;
    for (const wrong of [{ revision: good.revision + 10n }, { lastId: randomUUID() }]) {
      read = 0;
      snapshots.keep(stream, { ...good, ...wrong, state: 'wrong' });
      await snapshots.settled();
      await expectRead(stream);
    }
  });

  test('and removed, when the stream has lost its first events', async () => {
    const stream = await longStreamKept(3 * longStream);
    await eventStore.setStreamMetadata(stream, { truncateBefore: longStream });
    const { aggregates, snapshots } = newProcess();
    const loaded = await aggregates.load(tally, stream);
    expect(loaded).toEqual(await plain(stream));
    expect(loaded.isWhole).toBe(false);
    await snapshots.settled();
    expect(await snapshots.find(stream)).toBeUndefined();
  });

  test('and removed, when the stream is gone for good', async () => {
    const stream = await longStreamKept();
    await eventStore.tombstoneStream(stream);
    const { aggregates, snapshots } = newProcess();
    await expect(aggregates.load(tally, stream)).rejects.toBeInstanceOf(StreamDeleted);
    await snapshots.settled();
    expect(await snapshots.find(stream)).toBeUndefined();
  });

  test('when Postgres does not answer: the command goes on without', async () => {
    const stream = await longStreamKept();
    const gone = new PostgresSnapshots({ query: async () => Promise.reject(new Error('connect ECONNREFUSED')) } as never, (error) => complaints.push(error));
    expect(await new Aggregates(eventStore, gone).load(tally, stream)).toEqual(await plain(stream));
    await gone.settled();
    expect(complaints).toHaveLength(2);
  });
});

test('the version of the folds changes with any code of theirs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tarl-test-folds-'));
  await mkdir(join(folder, 'a'));
  const put = async (path: string, code: string) => (await writeFile(join(folder, path), code), hashOf(folder));
  const first = await put('a/state.js', 'one');
  expect(await put('a/state.js', 'two')).not.toBe(first);
  expect(await put('a/state.js', 'one')).toBe(first);
  expect(await put('a/notes.md', 'no code')).toBe(first);
  expect(await put('a/helpers.js', 'three')).not.toBe(first);
  await rm(folder, { recursive: true });
});
