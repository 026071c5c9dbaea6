import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RebuildProgress } from '../../../src/api/core.js';
import type { View } from '../../../src/projections/kit/view.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

const counters = countersView();
let world: EngineWorld;
beforeEach(async () => {
  world = await engineWorld([counters]);
  await world.database.pool.query('create index counters_by_sum on counters (sum) where sum > 0');
  await world.database.pool.query('alter table counters set (fillfactor = 70)');
});
afterEach(() => world.close());

const raise = (by: number, counter = 'a') => world.append(`counter-${counter}`, ['CounterRaised', { counter, by }]);
const rows = async () => {
  const { rows } = await world.database.pool.query('select counter, sum::int, events, latest from counters');
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
};
async function folded() {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return foldOfLog(events);
}
const nobodyListens = () => undefined;

/** Writes without pause until told to stop; gives the position of the last write. */
function writeSteadily() {
  let stopped = false;
  const written = (async () => {
    let last = await raise(1, 'c0');
    for (let n = 0; !stopped; n++) last = await raise(n % 17, `c${n % 50}`);
    return last.position;
  })();
  return () => ((stopped = true), written);
}

describe('a rebuild', () => {
  test('gives the same rows as live projection while writes and queries go on, and no query fails or sees an empty table', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(5)).position);
    const stopWriting = writeSteadily();
    let asking = true;
    let answers = 0;
    const queries = (async () => {
      while (asking) {
        const { rows } = await world.database.pool.query({ name: 'sum of a', text: `select sum from counters where counter = 'a'` });
        expect(rows).toEqual([{ sum: 5n }]);
        answers++;
      }
    })();
    const phases = new Set<RebuildProgress['phase']>();
    for (let round = 0; round < 3; round++) await engine.rebuild('counters', ({ phase }) => phases.add(phase));
    asking = false;
    await queries;
    await engine.waitFor(['counters'], await stopWriting());
    expect(await rows()).toEqual(await folded());
    expect([...phases]).toEqual(['reading', 'writing', 'indexing', 'following', 'comparing', 'switching']);
    expect(answers).toBeGreaterThan(10);
  });

  test('says which row a constraint that somebody added to the table refuses, and by which', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    for (const counter of ['a', 'b', 'c']) await raise(5, counter);
    await engine.waitFor(['counters'], (await raise(2, 'b')).position);
    const { pool } = world.database;
    await pool.query(`alter table counters add constraint at_most_six check (sum < 7) not valid`);
    await expect(engine.rebuild('counters', nobodyListens)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION', message: expect.stringContaining('its constraint at_most_six refuses the row {"counter":"b"}'),
      details: { reason: 'ROW_VIOLATES_CONSTRAINT', metadata: { table: 'counters', constraint: 'at_most_six', key: '{"counter":"b"}' } },
    });
    await pool.query('alter table counters drop constraint at_most_six');
    await pool.query('update counters set sum = case counter when \'b\' then 1 when \'c\' then 2 else 3 end');
    await pool.query('create unique index one_of_each_sum on counters (sum)');
    await expect(engine.rebuild('counters', nobodyListens)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringMatching(/Table counters .*Key \(sum\)=\(5\)/) });
    await pool.query('drop index one_of_each_sum');
    await engine.rebuild('counters', nobodyListens, undefined, 'SWITCH');
    expect(await rows()).toEqual(await folded());
  });

  test('of a log that ends in events of the system is compared and switched to, though no event follows', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(5)).position);
    for (const stream of ['counter-a', 'counter-b']) await world.eventStore.setStreamMetadata(stream, { maxCount: 1000 });
    await engine.rebuild('counters', nobodyListens);
    expect(await rows()).toEqual(await folded());
    expect((await engine.compare('counters')).same).toBe(true);
  });

  test('never shows a writer less than it has written', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(5)).position);
    const stopWriting = writeSteadily();
    let rebuilding = true;
    const writers = ['w1', 'w2', 'w3', 'w4'].map(async (writer) => {
      for (let written = 1; rebuilding; written++) {
        await engine.waitFor(['counters'], (await raise(1, writer)).position);
        const { rows } = await world.database.pool.query('select events from counters where counter = $1', [writer]);
        expect({ writer, events: rows[0]?.events }).toEqual({ writer, events: written });
      }
    });
    for (let round = 0; round < 8; round++) await engine.rebuild('counters', nobodyListens);
    rebuilding = false;
    await Promise.all(writers);
    await engine.waitFor(['counters'], await stopWriting());
    expect(await rows()).toEqual(await folded());
  });

  test('leaves the table with the same columns, keys, indexes and settings, under the same names, and beside it only the one it replaces', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(5)).position);
    const before = await schemaOf();
    await engine.rebuild('counters', nobodyListens);
    for (const round of ['first', 'second']) {
      const after = await schemaOf();
      expect({ round, ...after, tables: after.tables.filter((table) => table !== 'counters__former | {fillfactor=70}') }).toEqual({ round, ...before });
      expect(after.tables.length).toBe(before.tables.length + 1);
      await engine.rebuild('counters', nobodyListens);
    }
    expect((await engine.status()).map(({ state }) => state)).toEqual(['live', 'live']);
  });

  test('of an empty log leaves an empty table', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.rebuild('counters', nobodyListens);
    expect(await rows()).toEqual({});
    await engine.waitFor(['counters'], (await raise(5)).position);
    expect(await rows()).toEqual(await folded());
  });

  test('mends rows that were damaged', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(5)).position);
    await world.database.pool.query('update counters set sum = 999');
    await engine.rebuild('counters', nobodyListens, undefined, 'SWITCH');
    expect(await rows()).toEqual(await folded());
  });

  test('works from a process that does not project', async () => {
    const [owner, answering] = [world.engine([counters]), world.engine([counters], { projects: false })];
    await owner.start();
    await answering.start();
    const stopWriting = writeSteadily();
    await answering.rebuild('counters', nobodyListens);
    await owner.waitFor(['counters'], await stopWriting());
    expect(await rows()).toEqual(await folded());
  });

  test('is refused while another one of the view is under way', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(5)).position);
    const leave = await holdTable();
    const first = engine.rebuild('counters', nobodyListens);
    await until('the first is under way', async () => (await engine.status())[0]!.state === 'rebuilding');
    await expect(engine.rebuild('counters', nobodyListens)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: 'View counters is being rebuilt already' });
    await leave();
    await first;
    expect(await rows()).toEqual(await folded());
  });

  test('that is called off leaves the live table as it was', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(5)).position);
    const before = await schemaOf();
    const caller = new AbortController();
    const rebuilding = engine.rebuild('counters', ({ phase }) => phase === 'indexing' && caller.abort(new Error('called off')), caller.signal);
    await expect(rebuilding).rejects.toThrow('called off');
    expect(await schemaOf()).toEqual(before);
    await engine.waitFor(['counters'], (await raise(6)).position);
    expect(await rows()).toEqual(await folded());
  });

  test('waits for a long query on the old table instead of failing it', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(5)).position);
    const leave = await holdTable();
    const rebuilding = engine.rebuild('counters', nobodyListens);
    await until('the switch waits for the reader', async () => {
      const { rows } = await world.database.pool.query(`select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock'`);
      return rows.length > 0;
    });
    expect(await leave()).toEqual([{ sum: 5n }]);
    await rebuilding;
    expect(await rows()).toEqual(await folded());
  });

  test('that a killed process left half-built is cleared away at the next start', async () => {
    await world.database.pool.query(`create table counters__shadow (like counters); insert into counters__shadow select 'x', 1, 1, '[]', now(), null`);
    await world.database.pool.query(`insert into projection_builds (view, build, version) values ('counters', gen_random_uuid(), 1)`);
    const before = world.engine([counters]);
    await before.start();
    await before.waitFor(['counters'], (await raise(5)).position);
    expect((await schemaOf()).tables).not.toContain('counters__shadow');
    expect((await before.status())[0]!.state).toBe('live');
  });
});

describe('a view whose version is raised', () => {
  const doubled: View = { ...countersView(), version: 2, startBuild: countersView().startBuild };

  test('is rebuilt by itself at the start, while its old rows go on answering', async () => {
    const old = world.engine([counters]);
    await old.start();
    await old.waitFor(['counters'], (await raise(5)).position);
    await old.stop();
    await world.database.pool.query('update counters set sum = 1000');

    const engine = world.engine([doubled]);
    await engine.start();
    const { position } = await raise(6);
    expect(Object.keys(await rows())).toEqual(['a']);
    await engine.waitFor(['counters'], position);
    expect(await rows()).toEqual(await folded());
    expect((await engine.status())[0]).toMatchObject({ version: 2, state: 'live' });
  });
});

describe('streams that are deleted, truncated or tombstoned', () => {
  test('do not break a rebuild, and it gives what the log still holds', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    for (const counter of ['deleted', 'truncated', 'tombstoned', 'kept']) for (let by = 1; by <= 3; by++) await raise(by, counter);
    await world.eventStore.deleteStream('counter-deleted');
    await world.eventStore.setStreamMetadata('counter-truncated', { truncateBefore: 2 });
    await world.eventStore.tombstoneStream('counter-tombstoned');
    const { position } = await raise(4, 'kept');
    await engine.waitFor(['counters'], position);
    await engine.rebuild('counters', nobodyListens);
    expect(await rows()).toEqual(await folded());
    expect((await rows())['kept']).toEqual({ sum: 10, events: 4, latest: [1, 2, 3, 4] });
    await engine.waitFor(['counters'], (await raise(5, 'kept')).position);
    expect(await rows()).toEqual(await folded());
  });
});

/** A reader in a long transaction. Its last look gives what it sees. */
async function holdTable() {
  const reader = await world.database.pool.connect();
  await reader.query('begin');
  await reader.query('select * from counters');
  return async () => {
    const { rows } = await reader.query('select sum from counters');
    await reader.query('commit');
    reader.release();
    return rows;
  };
}

async function schemaOf() {
  const { pool } = world.database;
  const names = async (query: string) => (await pool.query(query)).rows.map((row) => Object.values(row).join(' | '));
  return {
    tables: await names(`select relname, reloptions::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`),
    columns: await names(`select column_name, data_type, is_nullable, column_default from information_schema.columns where table_name = 'counters' order by ordinal_position`),
    indexes: await names(`select indexdef from pg_indexes where tablename = 'counters' order by indexname`),
    constraints: await names(`select conname, contype, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'counters'::regclass order by conname`),
  };
}
