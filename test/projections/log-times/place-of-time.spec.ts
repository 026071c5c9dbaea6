import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatPosition, startOfLog, type EventStore, type LogReadOptions, type StoredEvent } from '../../../src/platform/eventstore/port.js';
import { placeAfter, placeBefore, placeOfTime } from '../../../src/projections/log-times/place-of-time.js';
import { logTimesView } from '../../../src/projections/log-times/view.js';
import { comparePositions } from '../../../src/platform/eventstore/port.js';
import { bounded } from '../../../src/projections/replay/bounded.js';
import { readChosen } from '../../../src/projections/replay/selection.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables } from '../engine/world.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await createTables(database, logTimesView);
});
afterAll(() => database.drop());

/** A log in memory that counts what is read of it. */
function logOf(events: readonly StoredEvent[]) {
  const log = {
    read: 0,
    async *readLog({ from = startOfLog }: LogReadOptions = {}) {
      for (const event of events) {
        if (comparePositions(event.position, from as typeof startOfLog) <= 0) continue;
        log.read++;
        yield event;
      }
    },
  };
  return log as typeof log & EventStore;
}

const eventAt = (ms: number, at: number, kept: boolean): StoredEvent => {
  const place = BigInt(at + 1) * 7n;
  return { id: kept ? `x${at}00` : `x${at}01`, stream: 's-1', revision: BigInt(at), position: { commit: place, prepare: place }, type: 'T', data: {}, metadata: {}, recordedAt: new Date(ms) };
};

async function project(events: readonly StoredEvent[]): Promise<void> {
  await database.pool.query('truncate log_times');
  const client = await database.pool.connect();
  await logTimesView.project(events, { client, table: (name) => name });
  client.release();
}

const gaps = fc.array(fc.record({ ms: fc.nat(3), kept: fc.boolean() }), { maxLength: 40 });

test('the place of a time is that of the last event recorded by then, whichever places are kept', async () => {
  await fc.assert(
    fc.asyncProperty(gaps, async (given) => {
      let now = 1000;
      const events = given.map(({ ms, kept }, at) => eventAt((now += ms), at, kept));
      await project(events);
      for (let ms = 999; ms <= now + 1; ms++) {
        const expected = events.findLast(({ recordedAt }) => recordedAt.getTime() <= ms)?.position ?? startOfLog;
        expect(formatPosition(await placeOfTime(database.pool, logOf(events), new Date(ms)))).toBe(formatPosition(expected));
      }
    }),
    { numRuns: 30 },
  );
});

test('a long log is read only near the time', async () => {
  const events = Array.from({ length: 20_000 }, (_, at) => eventAt(at, at, at % 250 === 0));
  await project(events);
  const log = logOf(events);
  expect(await placeOfTime(database.pool, log, new Date(12_345))).toEqual(events[12_345]!.position);
  expect(log.read).toBeLessThanOrEqual(251);
});

test('the places between which a replay of times reads leave nothing out, and most of a long log', async () => {
  await fc.assert(
    fc.asyncProperty(gaps, async (given) => {
      let now = 1000;
      const events = given.map(({ ms, kept }, at) => eventAt((now += ms), at, kept));
      await project(events);
      for (let ms = 999; ms <= now + 1; ms++) {
        const from = await placeBefore(database.pool, new Date(ms));
        expect(events.filter(({ position, recordedAt }) => comparePositions(position, from) <= 0 && recordedAt.getTime() >= ms)).toEqual([]);
        const until = await placeAfter(database.pool, new Date(ms));
        expect(events.filter(({ position, recordedAt }) => comparePositions(position, until) >= 0 && recordedAt.getTime() <= ms)).toEqual([]);
      }
    }),
    { numRuns: 30 },
  );
  const events = Array.from({ length: 20_000 }, (_, at) => eventAt(at, at, at % 250 === 0));
  await project(events);
  expect(await placeBefore(database.pool, new Date(12_345))).toEqual(events[12_250]!.position);
  expect(await placeAfter(database.pool, new Date(12_345))).toEqual(events[12_500]!.position);
});

test('a log that was moved here behind newer events is found by its own times', async () => {
  const events = [eventAt(9000, 0, false), eventAt(9001, 1, false), eventAt(100, 2, false), eventAt(200, 3, true), eventAt(300, 4, false), eventAt(9002, 5, false)];
  await project(events);
  expect(await placeOfTime(database.pool, logOf(events), new Date(150))).toEqual(events[2]!.position);
  expect(await placeOfTime(database.pool, logOf(events), new Date(350))).toEqual(events[4]!.position);
  const told = async (from: number, to: number) => {
    const found = [];
    for await (const { position } of readChosen(logOf(events), await bounded(database.pool, { types: [], streams: [], from: new Date(from), to: new Date(to) }))) found.push(Number(position.commit) / 7 - 1);
    return found;
  };
  expect(await told(50, 250)).toEqual([2, 3]);
  expect(await told(150, 9001)).toEqual([0, 1, 3, 4]);
});
