import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../../src/domain/kit/index.js';
import { connect } from '../../../../src/platform/eventstore/index.js';
import { comparePositions, type EventStore } from '../../../../src/platform/eventstore/port.js';
import { historical, type HistoricalQuestion } from '../../../../src/projections/features/history/historical.js';
import type { KnownAt } from '../../../../src/projections/features/history/known.js';
import { Replay } from '../../../../src/projections/features/history/replay.js';
import { testEventStore, type TestEventStore } from '../../../support/eventstore.js';
import { declare, remove, write, type Declared } from './group.js';

const second = 1_000_000;
let server: TestEventStore;
let eventStore: EventStore;
beforeAll(async () => {
  server = await testEventStore();
  eventStore = connect(server.url);
});
afterAll(async () => {
  await eventStore.close();
  await server.close();
});

let projects = 0;
const airports = (more: Partial<Declared> = {}): Declared => ({ project: `p${++projects}`, group: 'airports', keys: { airport: 'STRING' }, features: { delay: 'INT64', note: 'STRING' }, ...more });
const at = (airport: string, timeUs: number, delay: number | null, note: string | null = null) => ({ key: [airport], timeUs, values: { delay, note } });

type Cells = Readonly<Record<string, unknown>>;
type Asking = Partial<Omit<HistoricalQuestion, 'rows' | 'project'>> & { rows?: readonly Cells[]; startUs?: number; endUs?: number };

/** The answer as rows of cells. `event_time` of an asked row is its time. */
async function ask(project: string, { rows, startUs, endUs = 0, ...asking }: Asking, replay = new Replay(eventStore, { cacheBytes: 0 })) {
  const names = [...new Set(rows?.flatMap((row) => Object.keys(row)))];
  const timeUs = Float64Array.from(rows ?? [], (row) => row.event_time as number);
  const table = rows && { rows: rows.length, timeUs, columns: new Map(names.map((name) => [name, rows.map((row) => row[name] ?? null)])) };
  const answer = await historical(replay, { project, features: ['airports'], aliases: [], fullNames: false, known: {}, ...asking, rows: table ?? { startUs, endUs } });
  const cells: Cells[] = [];
  for await (const { rows: count, columns } of answer.tables) {
    for (let row = 0; row < count; row++) cells.push(Object.fromEntries(columns.map((column) => [column.name, column.at(row)])));
  }
  return { known: answer.known, range: answer.range, cells };
}

const refusal = async (asked: Promise<unknown>): Promise<Refusal> => {
  const error = await asked.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof Refusal) return error;
  throw new Error('It was not refused', { cause: error });
};

describe('a training set', () => {
  test('has one row for each asked row, in order, with all asked columns kept and what is not found null', async () => {
    const group = airports();
    await declare(eventStore, group);
    await write(eventStore, group, [at('LAS', 100, 3, 'x'), at('ATL', 200, 5), at('LAS', 300, null)]);
    const rows = [
      { airport: 'LAS', event_time: 150, label: 'late', weight: 0.5 },
      { airport: 'PHX', event_time: 150, label: 'none' },
      { airport: 'ATL', event_time: 200, label: null },
      { airport: null, event_time: 200 },
      { airport: 'LAS', event_time: 350, label: 'whole row' },
    ];
    const { cells } = await ask(group.project, { rows });
    expect(cells).toEqual([
      { airport: 'LAS', event_time: 150, label: 'late', weight: 0.5, delay: 3, note: 'x' },
      { airport: 'PHX', event_time: 150, label: 'none', weight: null, delay: null, note: null },
      { airport: 'ATL', event_time: 200, label: null, weight: null, delay: 5, note: null },
      { airport: null, event_time: 200, label: null, weight: null, delay: null, note: null },
      { airport: 'LAS', event_time: 350, label: 'whole row', weight: null, delay: null, note: null },
    ]);
  });

  test('knows no rows that were written for online reads alone', async () => {
    const group = airports();
    await declare(eventStore, group);
    await write(eventStore, group, [at('LAS', 100, 1)], 'OFFLINE');
    await write(eventStore, group, [at('LAS', 200, 2)], 'ONLINE');
    const { cells } = await ask(group.project, { rows: [{ airport: 'LAS', event_time: 300 }] });
    expect(cells[0]).toMatchObject({ delay: 1 });
  });

  test('keeps to the TTL of the group', async () => {
    const group = airports({ ttlSeconds: 10 });
    await declare(eventStore, group);
    await write(eventStore, group, [at('LAS', 0, 1)]);
    const { cells } = await ask(group.project, { rows: [{ airport: 'LAS', event_time: 10 * second }, { airport: 'LAS', event_time: 10 * second + 1 }] });
    expect(cells.map(({ delay }) => delay)).toEqual([1, null]);
  });

  test('joins one group twice under aliases, each by columns of its own', async () => {
    const group = airports();
    await declare(eventStore, group);
    await write(eventStore, group, [at('LAS', 100, 3), at('ATL', 100, 5)]);
    const alias = (name: string) => ({ alias: name, group: 'airports', keyColumns: { airport: name } });
    const { cells } = await ask(group.project, {
      features: ['origin:delay', 'destination:delay'],
      aliases: [alias('origin'), alias('destination')],
      fullNames: true,
      rows: [{ origin: 'LAS', destination: 'ATL', event_time: 100 }],
    });
    expect(cells).toEqual([{ origin: 'LAS', destination: 'ATL', event_time: 100, origin__delay: 3, destination__delay: 5 }]);
  });

  test('joins groups with keys of their own, composite ones too', async () => {
    const group = airports();
    const routes: Declared = { ...group, group: 'routes', keys: { origin: 'STRING', number: 'INT64' }, features: { distance: 'DOUBLE' } };
    await declare(eventStore, group);
    await declare(eventStore, routes);
    await write(eventStore, group, [at('LAS', 100, 3)]);
    await write(eventStore, routes, [{ key: ['1', 23], timeUs: 100, values: { distance: 1.5 } }, { key: ['12', 3], timeUs: 100, values: { distance: 2.5 } }]);
    const { cells } = await ask(group.project, { features: ['routes:distance', 'airports:delay'], rows: [{ airport: 'LAS', origin: '12', number: '3', event_time: 100 }, { airport: 'LAS', origin: '1', number: 23, event_time: 100 }] });
    expect(cells.map(({ delay, distance }) => [distance, delay])).toEqual([[2.5, 3], [1.5, 3]]);
  });

  test('is refused where two columns would have one name, an asked one included', async () => {
    const group = airports();
    await declare(eventStore, group);
    const twice = { features: ['airports:delay', 'again:delay'], aliases: [{ alias: 'again', group: 'airports', keyColumns: {} }] };
    expect(await refusal(ask(group.project, { ...twice, rows: [{ airport: 'LAS', event_time: 1 }] }))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { fields: [{ field: 'features[1]' }] } });
    expect(await refusal(ask(group.project, { rows: [{ airport: 'LAS', delay: 1, event_time: 1 }] }))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { fields: [{ field: 'features[0]' }] } });
  });

  test('is refused for features, groups, keys and key values that do not exist', async () => {
    const group = airports();
    await declare(eventStore, group);
    const rows = [{ airport: 'LAS', event_time: 1 }];
    expect(await refusal(ask(group.project, { features: ['airports:speed'], rows }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await refusal(ask(group.project, { features: ['harbours'], rows }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refusal(ask(group.project, { rows: [{ event_time: 1 }] }))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { reason: 'KEY_COLUMN_MISSING' } });
    expect(await refusal(ask(group.project, { rows: [{ airport: 7, event_time: 1 }] }))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { fields: [{ field: 'rows[0].airport' }] } });
    const wrongKey = [{ alias: 'airports', group: 'airports', keyColumns: { harbour: 'airport' } }];
    expect(await refusal(ask(group.project, { aliases: wrongKey, rows }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('asked again at the position it was answered at is the same, whatever was written since', async () => {
    const group = airports();
    await declare(eventStore, group);
    await write(eventStore, group, [at('LAS', 100, 3), at('ATL', 200, 5)]);
    const rows = [{ airport: 'LAS', event_time: 250 }, { airport: 'ATL', event_time: 250 }];
    const replay = new Replay(eventStore, { cacheBytes: 1 << 20 });
    const first = await ask(group.project, { rows }, replay);
    await write(eventStore, group, [at('LAS', 150, 4), at('ATL', 200, 6)]);
    const now = await ask(group.project, { rows }, replay);
    expect(now.cells.map(({ delay }) => delay)).toEqual([4, 6]);
    expect(await ask(group.project, { rows, known: first.known }, replay)).toEqual(first);
    expect(await ask(group.project, { rows, known: first.known })).toEqual(first);
  });

  test('knows all that is written by the moment of asking where known_at is left out, late rows too', async () => {
    const group = airports();
    await declare(eventStore, group);
    const rows = [{ airport: 'LAS', event_time: 250 }];
    const delays: unknown[] = [];
    for (const [timeUs, delay] of [[100, 1], [50, 9], [200, 2]] as const) {
      await write(eventStore, group, [at('LAS', timeUs, delay)]);
      const { cells, known } = await ask(group.project, { rows });
      delays.push(cells[0]!.delay);
      expect(comparePositions(known.position, await eventStore.endOfLog())).toBe(0);
    }
    expect(delays).toEqual([1, 1, 2]);
  });

  test('knows nothing recorded after known_at, given as a time, and says at which position that is', async () => {
    const group = airports();
    await declare(eventStore, group);
    const moments: number[] = [];
    for (let delay = 0; delay < 6; delay++) {
      await write(eventStore, group, [at('LAS', 100 + delay, delay)]);
      moments.push(await clockMovesOn());
    }
    const rows = [{ airport: 'LAS', event_time: 250 }];
    const delaysAndKnown = async (known: KnownAt) => {
      const { cells, known: answered } = await ask(group.project, { rows, known });
      return { delays: cells.map(({ delay }) => delay), position: answered.position };
    };
    for (const [delay, moment] of moments.entries()) {
      const { delays, position } = await delaysAndKnown({ timeUs: moment * 1000 });
      expect(delays).toEqual([delay]);
      expect(await delaysAndKnown({ position })).toEqual({ delays, position });
    }
  });

  test('is refused at a position that the log has not reached', async () => {
    const group = airports();
    await declare(eventStore, group);
    const beyond = { commit: 1n << 60n, prepare: 1n << 60n };
    expect(await refusal(ask(group.project, { rows: [{ airport: 'LAS', event_time: 1 }], known: { position: beyond } }))).toMatchObject({ code: 'OUT_OF_RANGE' });
  });

  test('ends at once, with no further reading, when its caller has gone', async () => {
    const group = airports();
    await declare(eventStore, group);
    await write(eventStore, group, [at('LAS', 100, 3)]);
    const gone = AbortSignal.abort(new Refusal('CANCELLED', 'The caller went away'));
    const replay = new Replay(eventStore, { cacheBytes: 0 });
    await expect(replay.run([{ project: group.project, group: 'airports', partition: 0 }], await eventStore.endOfLog(), () => undefined, gone)).rejects.toThrow('The caller went away');
  });
});

describe('a training set without rows', () => {
  test('has one row for every entity and event time of the range, both ends included', async () => {
    const group = airports({ partitions: 2 });
    const weather: Declared = { ...group, group: 'weather', features: { wind: 'DOUBLE' }, partitions: 4 };
    await declare(eventStore, group);
    await declare(eventStore, weather);
    await write(eventStore, group, [at('LAS', 99, 1), at('LAS', 100, 2), at('LAS', 100, 3), at('ATL', 200, 4), at('ATL', 201, 5)]);
    await write(eventStore, weather, [{ key: ['LAS'], timeUs: 150, values: { wind: 7 } }]);
    const { cells } = await ask(group.project, { features: ['airports:delay', 'weather:wind'], startUs: 100, endUs: 200 });
    expect(cells.toSorted((a, b) => Number(a.event_time) - Number(b.event_time))).toEqual([
      { airport: 'LAS', event_time: 100, delay: 3, wind: null },
      { airport: 'LAS', event_time: 150, delay: 3, wind: 7 },
      { airport: 'ATL', event_time: 200, delay: 4, wind: null },
    ]);
  });

  test('begins the longest TTL before its end, or 30 days where values never run out', async () => {
    const group = airports({ ttlSeconds: 60 });
    await declare(eventStore, group);
    const endUs = 100 * 86_400 * second;
    expect((await ask(group.project, { endUs })).range).toEqual({ startUs: endUs - 60 * second, endUs });
    const forever = airports();
    await declare(eventStore, forever);
    expect((await ask(forever.project, { endUs })).range).toEqual({ startUs: endUs - 30 * 86_400 * second, endUs });
  });

  test('is refused for groups with different keys', async () => {
    const group = airports();
    await declare(eventStore, group);
    await declare(eventStore, { ...group, group: 'routes', keys: { route: 'STRING' }, features: { distance: 'DOUBLE' } });
    expect(await refusal(ask(group.project, { features: ['airports', 'routes'], endUs: 100 }))).toMatchObject({ code: 'INVALID_ARGUMENT', details: { reason: 'ROWS_NEEDED' } });
  });
});

/** A moment after everything recorded before and before everything recorded after. */
async function clockMovesOn(): Promise<number> {
  const now = Date.now();
  while (Date.now() <= now + 1) await new Promise(setImmediate);
  return now;
}

describe('a deleted entity', () => {
  test('is in no training set any more, until it is written again', async () => {
    const group = airports();
    await declare(eventStore, group);
    await write(eventStore, group, [at('LAS', 100, 1), at('ATL', 100, 5)]);
    await remove(eventStore, group, [['LAS']]);
    const rows = [{ airport: 'LAS', event_time: 150 }, { airport: 'ATL', event_time: 150 }];
    expect((await ask(group.project, { rows })).cells.map(({ delay }) => delay)).toEqual([null, 5]);
    expect((await ask(group.project, { endUs: 200 })).cells.map(({ airport }) => airport)).toEqual(['ATL']);
    await write(eventStore, group, [at('LAS', 50, 2)]);
    expect((await ask(group.project, { rows })).cells.map(({ delay }) => delay)).toEqual([2, 5]);
    expect((await ask(group.project, { endUs: 200 })).cells.map(({ airport, event_time }) => [airport, event_time])).toEqual([['ATL', 100], ['LAS', 50]]);
  });

  test('leaves its moments, but no values, to a read of what was known before', async () => {
    const group = airports();
    await declare(eventStore, group);
    const position = await write(eventStore, group, [at('LAS', 100, 1, 'x'), at('ATL', 100, 5)]);
    const cached = new Replay(eventStore, { cacheBytes: 1_000_000 });
    await ask(group.project, { endUs: 200, known: { position } }, cached);
    await remove(eventStore, group, [['LAS']]);
    await write(eventStore, group, [at('LAS', 120, 9)]);
    for (const replay of [cached, new Replay(eventStore, { cacheBytes: 0 })]) {
      expect((await ask(group.project, { endUs: 200, known: { position } }, replay)).cells).toEqual([
        { airport: 'ATL', event_time: 100, delay: 5, note: null },
        { airport: 'LAS', event_time: 100, delay: null, note: null },
      ]);
    }
  });

  test('with known_at = row_time, leaves only the moments before its deletion', async () => {
    const group = airports();
    await declare(eventStore, group);
    const far = Date.UTC(2100, 0) * 1000;
    await write(eventStore, group, [at('LAS', 100, 1), at('LAS', far, 2)]);
    await remove(eventStore, group, [['LAS']]);
    const { cells } = await ask(group.project, { startUs: 0, endUs: far, known: { rowTime: true } });
    expect(cells).toEqual([{ airport: 'LAS', event_time: 100, delay: null, note: null }]);
  });

  test('of one group keeps its rows in the others', async () => {
    const [one, two] = [airports(), airports({ group: 'others', features: { other: 'INT64' } })];
    const second = { ...two, project: one.project };
    await declare(eventStore, one);
    await declare(eventStore, second);
    await write(eventStore, one, [at('LAS', 100, 1)]);
    await write(eventStore, second, [{ key: ['LAS'], timeUs: 100, values: { other: 7 } }, { key: ['LAS'], timeUs: 130, values: { other: 8 } }]);
    await remove(eventStore, one, [['LAS']]);
    const { cells } = await ask(one.project, { features: ['airports:delay', 'others'], endUs: 200 });
    expect(cells).toEqual([{ airport: 'LAS', event_time: 100, delay: null, other: 7 }, { airport: 'LAS', event_time: 130, delay: null, other: 8 }]);
  });
});
