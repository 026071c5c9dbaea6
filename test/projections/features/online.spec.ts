import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { QueryConfig } from 'pg';
import { encodeChunk, type WriteMode } from '../../../src/domain/features/chunk.js';
import { encodeKey } from '../../../src/domain/features/keys.js';
import type { FeatureGroupDefinition } from '../../../src/domain/features/state.js';
import { Refusal } from '../../../src/domain/kit/index.js';
import type { StoredEvent } from '../../../src/platform/eventstore/port.js';
import { connectDataSource } from '../../../src/platform/postgres/data-source.js';
import type { ViewTransaction } from '../../../src/projections/kit/view.js';
import { compareWithShadow } from '../../../src/projections/engine/compare.js';
import { OnlineRows } from '../../../src/projections/features/online/lookup.js';
import { unpackRow } from '../../../src/projections/features/online/packed-row.js';
import { OnlineReader, type OnlineAnswer } from '../../../src/projections/features/online/read.js';
import { scopeOf } from '../../../src/projections/features/online/scope.js';
import { featureStatuses } from '../../../src/projections/features/online/status.js';
import { featureOnlineView } from '../../../src/projections/features/online/view.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';

interface Row {
  readonly id: string;
  readonly timeUs: number;
  readonly x: number | string | null;
}

/** The rows of one write as their event. */
function written(rows: readonly Row[], mode: WriteMode = 'BOTH', group = 'g'): StoredEvent {
  const keys = [...new Set(rows.map(({ id }) => encodeKey([id])))];
  const block = { rows: rows.length, keys, key: rows.map(({ id }) => keys.indexOf(encodeKey([id]))), timeUs: rows.map(({ timeUs }) => timeUs), columns: new Map([['x', rows.map(({ x }) => x)]]) };
  return { type: 'FeatureRowsWritten', data: encodeChunk({ project: 'p', group, version: 1, partition: 0, mode }, block), metadata: { version: 1 } } as unknown as StoredEvent;
}

/** The deletion of an entity as its event. */
const deleted = (id: string, group = 'g', version = 1): StoredEvent =>
  ({ type: 'FeatureEntityDeleted', data: { project: 'p', group, version, partition: 0, key: encodeKey([id]) }, metadata: { version: 1 } }) as unknown as StoredEvent;

const definition: FeatureGroupDefinition = {
  project: 'p', group: 'g', version: 1, entities: [{ name: 'id', type: 'STRING' }],
  features: [{ name: 'x', type: 'DOUBLE', description: '', constraints: {} }, { name: 'later', type: 'BOOL', description: '', constraints: {} }],
  ttlSeconds: 0, partitions: 1, owner: '', description: '', tags: {},
};

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await (await connectDataSource(database.url, [])).destroy();
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query('truncate feature_online'));

/** Runs what the engine would run in its transaction. */
async function transact(work: (tx: ViewTransaction) => Promise<void>): Promise<void> {
  const client = await database.pool.connect();
  try {
    await client.query('begin');
    await work({ client, table: (name) => name });
    await client.query('commit');
  } finally {
    client.release();
  }
}

const project = (...events: StoredEvent[]) => transact((tx) => featureOnlineView.project(events, tx));
const table = async () => (await database.pool.query('select scope, key, event_time_us::float8 as time, feature_values from feature_online order by scope, key')).rows;

async function read(ids: readonly unknown[], { ttlSeconds = 0, now = 0, features = ['g:x'] } = {}): Promise<{ answer: OnlineAnswer; statuses: string[]; values: unknown[] }> {
  const reader = new OnlineReader(async (_, group) => ({ ...definition, group, ttlSeconds }), async () => undefined, new OnlineRows(database.pool), () => now);
  const answer = await reader.read({ project: 'p', features, fullNames: false, entities: ids.length, keys: new Map([['id', ids]]) });
  const [first] = answer.features;
  return { answer, statuses: [...first!.statuses].map((code) => featureStatuses[code]!), values: [...first!.values] };
}

describe('the latest row of an entity', () => {
  test('is the one of the greatest event time, however late the others are written', async () => {
    await project(written([{ id: 'a', timeUs: 5, x: 5 }]));
    await project(written([{ id: 'a', timeUs: 3, x: 3 }]));
    expect((await read(['a'])).values).toEqual([5]);
  });

  test('is the later write where event times tie, in one request, one batch or two', async () => {
    await project(written([{ id: 'a', timeUs: 5, x: 1 }, { id: 'a', timeUs: 5, x: 2 }]), written([{ id: 'b', timeUs: 5, x: 1 }]), written([{ id: 'b', timeUs: 5, x: 2 }]));
    await project(written([{ id: 'c', timeUs: 5, x: 1 }]));
    await project(written([{ id: 'c', timeUs: 5, x: 2 }]));
    expect((await read(['a', 'b', 'c'])).values).toEqual([2, 2, 2]);
  });

  test('is never one that was written for the history only', async () => {
    await project(written([{ id: 'a', timeUs: 5, x: 5 }]), written([{ id: 'a', timeUs: 9, x: 9 }, { id: 'b', timeUs: 9, x: 9 }], 'OFFLINE'), written([{ id: 'c', timeUs: 1, x: 1 }], 'ONLINE'));
    const { statuses, values } = await read(['a', 'b', 'c']);
    expect(values).toEqual([5, null, 1]);
    expect(statuses).toEqual(['PRESENT', 'NOT_FOUND', 'PRESENT']);
  });

  test('is gone with the entity, in one batch or two, and what is written later counts however old it is', async () => {
    await project(written([{ id: 'a', timeUs: 5, x: 5 }, { id: 'b', timeUs: 5, x: 6 }]));
    await project(deleted('a'), written([{ id: 'c', timeUs: 5, x: 7 }, { id: 'd', timeUs: 5, x: 8 }]), deleted('c'), deleted('d'), written([{ id: 'd', timeUs: 1, x: 9 }]));
    expect((await read(['a', 'b', 'c', 'd'])).statuses).toEqual(['NOT_FOUND', 'PRESENT', 'NOT_FOUND', 'PRESENT']);
    await project(written([{ id: 'a', timeUs: 2, x: 2 }]));
    expect((await read(['a', 'b', 'c', 'd'])).values).toEqual([2, 6, null, 9]);
  });

  test('is found by keys of every awkward kind', async () => {
    const ids = ['', '"', '\\', "'", '{},', '\u0000\u0001\n\t', '\u{1F600}', 'é', '\u2028', 'NULL', '$1', 'a'.repeat(500)];
    await project(written(ids.map((id, index) => ({ id, timeUs: index, x: `${id}!` }))));
    expect((await read(ids)).values).toEqual(ids.map((id) => `${id}!`));
  });

  test('is the same whether followed batch by batch, rebuilt, or rebuilt in two parts', async () => {
    const row = fc.record({ id: fc.constantFrom('a', 'b', '"\u0000', '\u{1F600}'), timeUs: fc.integer({ min: -3, max: 3 }), x: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0), fc.string({ unit: 'binary' }), fc.constant('\ud800'), fc.constant(null)) });
    const groups = fc.constantFrom('g', 'h');
    const write = fc.tuple(fc.array(row, { minLength: 1, maxLength: 6 }), fc.constantFrom<WriteMode>('ONLINE', 'OFFLINE', 'BOTH'), groups);
    const deletion = fc.tuple(fc.constantFrom('a', 'b', '"\u0000', '\u{1F600}'), fc.constant('DELETED' as const), groups);
    const step = fc.oneof({ weight: 3, arbitrary: write }, { weight: 1, arbitrary: deletion });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.nat({ max: 10 }), async (steps, part) => {
        const events = steps.map(([what, mode, group]) => (mode === 'DELETED' ? deleted(what as string, group) : written(what as Row[], mode, group)));
        await database.pool.query('truncate feature_online');
        for (const event of events) await project(event);
        const followed = await table();
        for (const first of [events.length, part]) {
          await transact(async (tx) => {
            await tx.client.query('truncate feature_online');
            const build = featureOnlineView.startBuild();
            for (const event of events.slice(0, first)) build.add(event);
            await build.write(tx);
            await featureOnlineView.project(events.slice(first), tx);
          });
          expect(await table()).toEqual(followed);
        }
        expect(followed.map(({ scope, key, time, feature_values }) => ({ scope, key, time, x: unpackRow(feature_values)[0] }))).toEqual(expected(steps));
      }),
      { numRuns: 60 },
    );
  });
});

/** The rule, row by row, in the table's order. */
function expected(steps: readonly (readonly [readonly Row[] | string, WriteMode | 'DELETED', string])[]) {
  const latest = new Map<string, { scope: string; key: string; time: number; x: Row['x'] }>();
  for (const [what, mode, group] of steps) {
    if (mode === 'OFFLINE') continue;
    if (mode === 'DELETED') {
      latest.delete(`${group} ${what as string}`);
      continue;
    }
    for (const { id, timeUs, x } of what as readonly Row[]) {
      const held = latest.get(`${group} ${id}`);
      if (!held || held.time <= timeUs) latest.set(`${group} ${id}`, { scope: scopeOf('p', group, 1), key: encodeKey([id]), time: timeUs, x });
    }
  }
  const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  return [...latest.values()].sort((a, b) => byBytes(a.scope, b.scope) || byBytes(a.key, b.key));
}

describe('the status of a value', () => {
  test('says whether it is there, null, absent or too old, and gives old values all the same', async () => {
    const now = 1_000_000;
    const at = (ageSeconds: number) => (now - ageSeconds * 1000) * 1000;
    await project(written([{ id: 'fresh', timeUs: at(59), x: 1 }, { id: 'edge', timeUs: at(60), x: 2 }, { id: 'old', timeUs: at(60) - 1, x: 3 }, { id: 'null', timeUs: at(90), x: null }]));
    const { statuses, values } = await read(['fresh', 'edge', 'old', 'null', 'none', null], { ttlSeconds: 60, now });
    expect(statuses).toEqual(['PRESENT', 'PRESENT', 'OUTSIDE_MAX_AGE', 'NULL_VALUE', 'NOT_FOUND', 'NOT_FOUND']);
    expect(values).toEqual([1, 2, 3, null, null, null]);
  });

  test('is NULL_VALUE for a feature that was registered after the row was written', async () => {
    await project(written([{ id: 'a', timeUs: 1, x: 1 }]));
    expect((await read(['a'], { features: ['g:later'] })).statuses).toEqual(['NULL_VALUE']);
  });
});

describe('a read', () => {
  test.each([2, 8, 10, 64, 66, 200])('answers every group for every entity, with the times of each, also of %d', async (entities) => {
    await project(written([{ id: 'a', timeUs: 1, x: 1 }]), written([{ id: 'a', timeUs: 2, x: 2 }, { id: 'b', timeUs: 3, x: 3 }], 'BOTH', 'h'));
    const reader = new OnlineReader(async (_, group) => ({ ...definition, group }), async () => undefined, new OnlineRows(database.pool));
    const alternately = <Value>(first: Value, second: Value) => Array.from({ length: entities }, (_, entity) => (entity % 2 === 0 ? first : second));
    const answer = await reader.read({ project: 'p', features: ['g:x', 'h:x'], fullNames: true, entities, keys: new Map([['id', alternately('a', 'b')]]) });
    expect(answer.features.map(({ name, values }) => [name, [...values]])).toEqual([['g__x', alternately<number | null>(1, null)], ['h__x', alternately(2, 3)]]);
    expect(answer.features.map(({ statuses }) => [...statuses].map((status) => featureStatuses[status]))).toEqual([alternately('PRESENT', 'NOT_FOUND'), alternately('PRESENT', 'PRESENT')]);
    expect(answer.groups.map(({ group, timeUs }) => [group, [...timeUs]])).toEqual([['g', alternately(1, 0)], ['h', alternately(2, 3)]]);
  });

  test('finds nothing of an entity whose key is null, and of the others their own', async () => {
    await project(written([{ id: 'a', timeUs: 1, x: 1 }, { id: 'b', timeUs: 2, x: 2 }]), written([{ id: 'b', timeUs: 3, x: 3 }], 'BOTH', 'h'));
    const reader = new OnlineReader(async (_, group) => ({ ...definition, group }), async () => undefined, new OnlineRows(database.pool));
    const read = (ids: unknown[]) => reader.read({ project: 'p', features: ['g:x', 'h:x'], fullNames: true, entities: ids.length, keys: new Map([['id', ids]]) });
    expect((await read(['a', null, 'b'])).features.map(({ values }) => [...values])).toEqual([[1, null, 2], [null, null, 3]]);
    expect((await read([null])).features.map(({ values }) => [...values])).toEqual([[null], [null]]);
  });

  test('is one round trip to Postgres, however many entities and groups it is of', async () => {
    const groups = ['g', 'h', 'i', 'j'];
    await project(...groups.flatMap((group) => written(Array.from({ length: 100 }, (_, id) => ({ id: `k${id}`, timeUs: 1, x: id })), 'BOTH', group)));
    const asked: unknown[] = [];
    const counting = { query: (...given: unknown[]) => (asked.push(given), (database.pool.query as Function)(...given)) };
    const reader = new OnlineReader(async (_, group) => ({ ...definition, group }), async () => undefined, new OnlineRows(counting as never));
    const ids = Array.from({ length: 120 }, (_, id) => `k${id}`);
    const { features } = await reader.read({ project: 'p', features: groups.map((group) => `${group}:x`), fullNames: true, entities: 120, keys: new Map([['id', ids]]) });
    expect(features.map(({ values }) => [values[0], values[99], values[100]])).toEqual(groups.map(() => [0, 99, null]));
    expect(asked).toHaveLength(1);
  });

  test('leaves nothing in the result of its query, which the driver holds on to', async () => {
    await project(written([{ id: 'a', timeUs: 1, x: 1 }]));
    const results: { rows: unknown[] }[] = [];
    const pool = { query: async (config: QueryConfig) => (results.push(await database.pool.query(config)), results.at(-1)!) };
    const reader = new OnlineReader(async () => definition, async () => undefined, new OnlineRows(pool as never));
    const { features } = await reader.read({ project: 'p', features: ['g:x'], fullNames: false, entities: 1, keys: new Map([['id', ['a']]]) });
    expect([...features[0]!.values]).toEqual([1]);
    expect(results.map(({ rows }) => rows)).toEqual([[]]);
  });

  test('is refused where short names collide, a feature is unknown, a key is missing or of another type', async () => {
    await expect(read(['a'], { features: ['g:x', 'h:x'] })).rejects.toThrow('second column x');
    await expect(read(['a'], { features: ['g:nope'] })).rejects.toThrow('nope, which g does not have');
    await expect(read([5])).rejects.toThrow('entities[0].id is not STRING');
    const reader = new OnlineReader(async () => definition, async () => undefined, new OnlineRows(database.pool));
    await expect(reader.read({ project: 'p', features: ['g'], fullNames: false, entities: 1, keys: new Map([['other', ['a']]]) })).rejects.toThrow('have no id, which is a key of g');
    await expect(reader.read({ project: 'p', features: [], fullNames: false, entities: 1, keys: new Map() })).rejects.toThrow('at least one feature');
  });

  test('is refused for features run together into one name, also after a read of the same features apart', async () => {
    const reader = new OnlineReader(async () => definition, async () => undefined, new OnlineRows(database.pool), Date.now, undefined, undefined, () => definition);
    const read = (features: readonly string[]) => reader.read({ project: 'p', features, fullNames: false, entities: 1, keys: new Map([['id', ['a']]]) });
    await read(['g:x', 'g:later']);
    await expect(read(['g:x g:later'])).rejects.toThrow(Refusal);
  });

  test('shares its query with the reads of the same moment, each with its own answer', async () => {
    await project(written(Array.from({ length: 30 }, (_, id) => ({ id: `k${id}`, timeUs: 1, x: id }))));
    let queries = 0;
    const counting = { query: (...asked: unknown[]) => (queries++, (database.pool.query as Function)(...asked)) };
    const reader = new OnlineReader(async () => definition, async () => undefined, new OnlineRows(counting as never));
    const answers = await Promise.all(Array.from({ length: 30 }, (_, id) => reader.read({ project: 'p', features: ['g:x'], fullNames: false, entities: 2, keys: new Map([['id', [`k${id}`, 'none']]]) })));
    expect(answers.map(({ features }) => features[0]!.values)).toEqual(Array.from({ length: 30 }, (_, id) => [id, null]));
    expect(queries).toBe(1);
  });
});

test('where rows differ from those of a rebuild, their values are shown, and what is no row as it is', async () => {
  await project(written([{ id: 'a', timeUs: 1, x: 1.5 }, { id: 'b', timeUs: 1, x: 'Lagos' }]));
  await database.pool.query('create table feature_online__shadow as select * from feature_online');
  await project(written([{ id: 'a', timeUs: 1, x: 2 }]));
  await database.pool.query(`update feature_online set feature_values = 'mine' where key = $1`, [encodeKey(['b'])]);
  const client = await database.pool.connect();
  const { rows } = await compareWithShadow(client, 'feature_online', featureOnlineView.shows);
  client.release();
  await database.pool.query('drop table feature_online__shadow');
  expect(rows.map(({ shown }) => shown.columns)).toEqual([[{ name: 'feature_values', live: '[2]', replayed: '[1.5]' }], [{ name: 'feature_values', live: 'mine', replayed: '["Lagos"]' }]]);
});
