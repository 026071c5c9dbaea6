import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import { countersView } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

const counters = countersView();
let world: EngineWorld;
let engine: ProjectionEngine;
beforeEach(async () => {
  world = await engineWorld([counters]);
  engine = world.engine([counters]);
  await engine.start();
  for (const counter of ['a', 'b', 'c']) for (const by of [1, 2]) await raise(by, counter);
  await engine.waitFor(['counters'], (await raise(3, 'd')).position);
});
afterEach(() => world.close());

const raise = (by: number, counter: string) => world.append(`counter-${counter}`, ['CounterRaised', { counter, by }]);

test('a view that was kept live is what the log gives, also while it is written to', async () => {
  let writing = true;
  const writer = (async () => {
    for (let by = 0; writing; by++) await raise(by, `c${by % 7}`);
  })();
  for (let round = 0; round < 3; round++) expect(await engine.compare('counters')).toMatchObject({ view: 'counters', same: true, tables: [{ table: 'counters', added: 0, removed: 0, changed: 0 }] });
  writing = false;
  await writer;
});

test('rows that are missing, too many or other than the log gives are counted, by column, and left as they are', async () => {
  await world.database.pool.query(`delete from counters where counter = 'a'; update counters set sum = 9 where counter in ('b', 'c'); update counters set events = 9 where counter = 'c';
    insert into counters select 'x', sum, events, latest, raised_at, note from counters where counter = 'd'`);
  const before = (await world.database.pool.query('select * from counters order by 1')).rows;
  expect(await engine.compare('counters')).toMatchObject({ same: false, tables: [{ table: 'counters', added: 1, removed: 1, changed: 2, columns: { sum: 2, events: 1 } }] });
  expect((await world.database.pool.query('select * from counters order by 1')).rows).toEqual(before);
  expect((await world.database.pool.query(`select tablename from pg_tables where tablename like 'counters%'`)).rows).toEqual([{ tablename: 'counters' }]);
});
