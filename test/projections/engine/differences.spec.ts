import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Operation, RowDifference } from '../../../src/api/core.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import type { View } from '../../../src/projections/kit/view.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { runPlatformJob } from './job.js';
import { engineWorld, type EngineWorld } from './world.js';

const counters = countersView();
let world: EngineWorld;
let engine: ProjectionEngine;
beforeEach(async () => {
  world = await engineWorld([counters]);
  engine = world.engine([counters]);
  await engine.start();
  for (const counter of ['a', 'b', 'c']) for (const by of [1, 2, 4]) await raise(by, counter);
  await engine.waitFor(['counters'], (await raise(3, 'd')).position);
});
afterEach(() => world.close());

const raise = (by: number, counter: string) => world.append(`counter-${counter}`, ['CounterRaised', { counter, by }]);
const sums = async () => Object.fromEntries((await world.database.pool.query('select counter, sum::int from counters')).rows.map(({ counter, sum }) => [counter, sum]));
async function folded() {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return Object.fromEntries(Object.entries(foldOfLog(events)).map(([counter, { sum }]) => [counter, sum]));
}
const ended = (asked: ProjectionEngine, { name }: Operation) => until('the operation has ended', async () => [await asked.operation(name.slice('operations/'.length))].find(({ done }) => done));
const ofKey = (rows: readonly RowDifference[], counter: string) => rows.find(({ key }) => key['counter'] === counter);
const begin = async (asked: ProjectionEngine, onDifference?: 'SWITCH' | 'STOP') => ended(asked, await asked.begin({ kind: 'rebuild', view: 'counters', actor: 'key:me', onDifference }));

describe('of a row that differs', () => {
  test('a comparison shows each column, and the first event after which the replayed row is no longer like the live one', async () => {
    await world.database.pool.query(`
      update counters set sum = 3, events = 2, latest = '[1,2]' where counter = 'b';
      update counters set sum = 999 where counter = 'c';
      delete from counters where counter = 'a';
      insert into counters select 'x', sum, events, latest, raised_at, note from counters where counter = 'd'`);
    const { rows } = await engine.compare('counters');
    expect(rows.map(({ key, kind }) => [key['counter'], kind])).toEqual([['a', 'added'], ['b', 'changed'], ['c', 'changed'], ['x', 'removed']]);
    // The live row stopped after the second event.
    expect(ofKey(rows, 'b')).toMatchObject({
      columns: [{ name: 'sum', live: '3', replayed: '7' }, { name: 'events', live: '2', replayed: '3' }, { name: 'latest', live: '[1, 2]', replayed: '[1, 2, 4]' }],
      event: { type: 'CounterRaised', stream: 'counter-b', revision: '2', position: expect.any(String), id: expect.any(String) },
    });
    // It never was what the live row is.
    expect(ofKey(rows, 'c')).toMatchObject({ columns: [{ name: 'sum', live: '999', replayed: '7' }], event: { stream: 'counter-c', revision: '0' } });
    expect(ofKey(rows, 'a')).toMatchObject({ event: { stream: 'counter-a', revision: '0' } });
    // No event of the log tells of it.
    expect(ofKey(rows, 'x')?.event).toBeUndefined();
  });

  test('a row that the log removed again names the removal', async () => {
    const { rows: [before] } = await world.database.pool.query(`select * from counters where counter = 'b'`);
    await engine.waitFor(['counters'], (await world.append('counter-b', ['CounterRemoved', { counter: 'b' }])).position);
    await world.database.pool.query('insert into counters values ($1, $2, $3, $4, $5, $6)', ['b', before.sum, before.events, JSON.stringify(before.latest), before.raised_at, before.note]);
    const { rows } = await engine.compare('counters');
    expect(rows).toMatchObject([{ kind: 'removed', key: { counter: 'b' }, event: { type: 'CounterRemoved', stream: 'counter-b', revision: '3' } }]);
  });

  test('a comparison of many shows the first, and leaves no table behind', async () => {
    for (let n = 0; n < 30; n++) await raise(1, `many${n}`);
    await engine.waitFor(['counters'], (await raise(1, 'last')).position);
    await world.database.pool.query('update counters set sum = -1');
    const { tables, rows } = await engine.compare('counters');
    expect(tables[0]).toMatchObject({ changed: 35 });
    expect(rows.length).toBe(20);
    expect((await world.database.pool.query(`select relname from pg_class where relname like 'counters\\_\\_%' and relkind = 'r'`)).rows).toEqual([]);
  });
});

describe('a rebuild in an unchanged version', () => {
  test('whose rows differ stops before the switch, and says which', async () => {
    await world.database.pool.query(`update counters set sum = 3 where counter = 'b'`);
    const operation = await begin(engine);
    expect(operation).toMatchObject({
      error: { code: 'FAILED_PRECONDITION', message: 'The rows of counters differ from what the log gives (1 of them): nothing was switched' },
      metadata: { state: 'failed', comparison: { same: false, tables: [{ changed: 1, columns: { sum: 1 } }], rows: [{ key: { counter: 'b' }, event: { revision: '2' } }] } },
    });
    expect((await sums())['b']).toBe(3);
    expect((await world.database.pool.query(`select to_regclass('counters__shadow') as shadow`)).rows).toEqual([{ shadow: null }]);
  });

  test('goes on to the other rows where it is told to, and keeps what it has found', async () => {
    await world.database.pool.query(`update counters set sum = 3 where counter = 'b'`);
    expect(await begin(engine, 'SWITCH')).toMatchObject({ metadata: { state: 'done', onDifference: 'SWITCH', comparison: { same: false } } });
    expect(await sums()).toEqual(await folded());
  });

  test('proves that live equals replay where they are the same', async () => {
    expect(await begin(engine)).toMatchObject({ metadata: { state: 'done', comparison: { same: true, tables: [{ table: 'counters', added: 0, removed: 0, changed: 0 }] } } });
  });

  test('follows the policy of its view where none is given', async () => {
    await engine.stop();
    const lenient: View = { ...counters, onDifference: 'SWITCH' };
    const other = world.engine([lenient]);
    await other.start();
    await other.waitFor(['counters'], (await raise(1, 'd')).position);
    await world.database.pool.query(`update counters set sum = 3 where counter = 'b'`);
    expect(await begin(other)).toMatchObject({ metadata: { state: 'done' } });
    expect(await sums()).toEqual(await folded());
  });
});

test('slices at different places are compared each where it stands, rebuilt and rolled back', async () => {
  await engine.split('counters', 4);
  let writing = true;
  const writer = (async () => {
    for (let by = 0; writing; by++) await raise(by, `c${by % 11}`);
  })();
  for (let round = 0; round < 3; round++) expect(await engine.compare('counters')).toMatchObject({ same: true });
  expect(await begin(engine)).toMatchObject({ metadata: { state: 'done', comparison: { same: true } } });
  expect(await ended(engine, await engine.begin({ kind: 'rollback', view: 'counters', actor: 'key:me' }))).toMatchObject({ metadata: { state: 'done' } });
  writing = false;
  await writer;
  await engine.waitFor(['counters'], (await raise(1, 'd')).position);
  expect(await sums()).toEqual(await folded());
  expect((await engine.status())[0]!.slices.length).toBe(4);
});

test('the scheduled job compares every view, and what it finds shows in the operations, the status and the log', async () => {
  await world.database.pool.query(`update counters set sum = 3 where counter = 'b'`);
  await runPlatformJob('compare-projections', { compareAll: (actor, signal) => engine.compareAll(actor, signal) });
  expect((await engine.operations()).map(({ metadata: { view, kind, actor, state, comparison } }) => ({ view, kind, actor, state, same: comparison!.same })).sort((a, b) => (a.view < b.view ? -1 : 1))).toEqual([
    { view: 'command-log', kind: 'comparison', actor: 'job:compare-projections', state: 'done', same: true },
    { view: 'counters', kind: 'comparison', actor: 'job:compare-projections', state: 'done', same: false },
  ]);
  expect(await engine.status()).toMatchObject([{ name: 'counters', differingRows: 1, comparedAt: expect.any(String) }, { name: 'command-log', differingRows: 0 }]);
  expect(world.complaints.join()).toContain('The rows of a view differ from what the log gives');
  await begin(engine, 'SWITCH');
  expect((await engine.status())[0]).toMatchObject({ differingRows: 0 });
});
