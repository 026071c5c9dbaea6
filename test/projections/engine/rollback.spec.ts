import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Operation } from '../../../src/api/core.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { runPlatformJob } from './job.js';
import { engineWorld, type EngineWorld } from './world.js';

const counters = countersView();
let world: EngineWorld;
beforeEach(async () => {
  world = await engineWorld([counters]);
  // So many indexes that the tenth sorts before the second.
  for (let n = 0; n < 11; n++) await world.database.pool.query(`create index counters_by_${n} on counters (sum, (events + ${n}))`);
});
afterEach(() => world.close());

const raise = (by: number, counter = 'a') => world.append(`counter-${counter}`, ['CounterRaised', { counter, by }]);
const rows = async (table = 'counters') => {
  const { rows } = await world.database.pool.query(`select counter, sum::int, events, latest from "${table}"`);
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
};
async function folded() {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return foldOfLog(events);
}
const indexes = async () => (await world.database.pool.query(`select indexdef from pg_indexes where tablename = 'counters' order by indexname`)).rows;
const started = async (view = counters): Promise<ProjectionEngine> => {
  const engine = world.engine([view]);
  await engine.start();
  await engine.waitFor(['counters'], (await raise(5)).position);
  return engine;
};
const switchAnyway = (engine: ProjectionEngine) => engine.rebuild('counters', () => undefined, undefined, 'SWITCH');
const ended = async (engine: ProjectionEngine, { name }: Operation) => until('the operation has ended', async () => [await engine.operation(name.slice('operations/'.length))].find(({ done }) => done));
const rollBack = async (engine: ProjectionEngine) => ended(engine, await engine.begin({ kind: 'rollback', view: 'counters', actor: 'key:me' }));

describe('a rollback', () => {
  test('right after a rebuild brings back the rows that it replaced, and a second one those of the rebuild', async () => {
    const engine = await started();
    await world.database.pool.query('update counters set sum = 999');
    const before = await indexes();
    await switchAnyway(engine);
    expect(await rows()).toMatchObject({ a: { sum: 5 } });
    expect(await rollBack(engine)).toMatchObject({ metadata: { kind: 'rollback', state: 'done' } });
    expect(await rows()).toMatchObject({ a: { sum: 999 } });
    expect(await indexes()).toEqual(before);
    await rollBack(engine);
    expect(await rows()).toMatchObject({ a: { sum: 5 } });
    expect(await indexes()).toEqual(before);
  });

  test('after further writes brings the old rows up to the present before they answer', async () => {
    const engine = await started();
    await switchAnyway(engine);
    for (let by = 0; by < 30; by++) await raise(by, `c${by % 3}`);
    const { position } = await raise(7);
    expect((await rows('counters__former'))['a'].sum).toBe(5);
    await rollBack(engine);
    await engine.waitFor(['counters'], position);
    expect(await rows()).toEqual(await folded());
    await engine.waitFor(['counters'], (await raise(8)).position);
    expect(await rows()).toEqual(await folded());
  });

  test('that is called off leaves the old rows for another one', async () => {
    const engine = await started();
    await switchAnyway(engine);
    await raise(6);
    const reader = await world.database.pool.connect();
    await reader.query('begin');
    await reader.query('select * from counters');
    const begun = await engine.begin({ kind: 'rollback', view: 'counters', actor: 'key:me' });
    const id = begun.name.slice('operations/'.length);
    await until('it waits to switch', async () => (await engine.operation(id)).metadata.progress?.phase === 'switching');
    await engine.steer(id, 'cancel');
    expect(await ended(engine, begun)).toMatchObject({ metadata: { state: 'cancelled' } });
    await reader.query('commit');
    reader.release();
    expect(Object.keys(await rows('counters__former'))).toEqual(['a']);
    expect(await rollBack(engine)).toMatchObject({ metadata: { state: 'done' } });
    await engine.waitFor(['counters'], (await raise(7)).position);
    expect(await rows()).toEqual(await folded());
  });

  test('that was interrupted is not counted twice, whoever goes on with it', async () => {
    const engine = await started();
    await switchAnyway(engine);
    await raise(6);
    const reader = await world.database.pool.connect();
    await reader.query('begin');
    await reader.query('select * from counters');
    const begun = await engine.begin({ kind: 'rollback', view: 'counters', actor: 'key:me' });
    await until('it has followed the log and waits to switch', async () => (await engine.operation(begun.name.slice('operations/'.length))).metadata.progress?.phase === 'switching');
    await engine.stop();
    await reader.query('commit');
    reader.release();
    // What the old rows have followed stays, but another release does not go on with its build.
    await world.database.pool.query(`update projection_builds set release = 'another'`);
    const next = world.engine([counters]);
    await next.start();
    expect(await ended(next, begun)).toMatchObject({ metadata: { state: 'done' } });
    await next.waitFor(['counters'], (await raise(7)).position);
    expect(await rows()).toEqual(await folded());
  });

  test('is refused when nothing was replaced, and when the replaced rows are of another version', async () => {
    const engine = await started();
    expect(await rollBack(engine)).toMatchObject({ error: { code: 'FAILED_PRECONDITION', message: 'No former rows of counters are kept' } });
    await engine.stop();
    const next = await started(countersView({ version: 2 }));
    expect(await rollBack(next)).toMatchObject({ error: { code: 'FAILED_PRECONDITION', message: expect.stringContaining('The former rows of counters are of version 1') } });
  });

  test('keeps the keys apart that each of the two could not take', async () => {
    const poisoned = countersView({ poisonedBy: (by) => by === 13 });
    const engine = world.engine([poisoned]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(5)).position);
    await raise(13, 'bad');
    await engine.waitFor(['counters'], (await raise(1, 'bad')).position);
    await engine.stop();
    const healthy = world.engine([counters]);
    await healthy.start();
    await until('nothing is parked', async () => (await healthy.parked()).length === 0);
    await healthy.stop();

    const again = world.engine([poisoned]);
    await again.start();
    await again.waitFor(['counters'], (await raise(2)).position);
    await switchAnyway(again);
    expect(await again.parked()).toMatchObject([{ key: 'bad', waiting: 1 }]);
    await rollBack(again);
    expect(await again.parked()).toEqual([]);
    await rollBack(again);
    expect(await again.parked()).toMatchObject([{ key: 'bad', waiting: 1 }]);
  });
});

test('a release that is put back takes up its former rows, and reads only what has come since', async () => {
  await raise(3, 'quiet');
  const old = await started();
  await old.stop();
  // No rebuild from the log would give this.
  await world.database.pool.query(`update counters set note = 'of the first release' where counter = 'quiet'`);
  const next = await started(countersView({ version: 2 }));
  expect((await next.status())[0]).toMatchObject({ version: 2 });
  await next.stop();
  const back = await started();
  expect((await back.status())[0]).toMatchObject({ version: 1, state: 'live' });
  await until('the old rows answer again', async () => (await rows())['a'].sum === 15);
  await raise(1, 'b');
  await back.waitFor(['counters'], (await raise(1, 'b')).position);
  expect(await rows()).toEqual(await folded());
  expect((await world.database.pool.query(`select note from counters where counter = 'quiet'`)).rows).toEqual([{ note: 'of the first release' }]);
  expect((await world.database.pool.query(`select version from projection_formers`)).rows).toEqual([{ version: 2 }]);
});

test('the scheduled job removes former tables once they are older than their time', async () => {
  const engine = await started();
  await switchAnyway(engine);
  const clean = () => runPlatformJob('remove-former-tables', { removeFormers: () => engine.removeFormers(24) });
  await clean();
  expect(Object.keys(await rows('counters__former'))).toEqual(['a']);
  await world.database.pool.query(`update projection_formers set replaced_at = now() - interval '25 hours'`);
  await clean();
  const { rows: left } = await world.database.pool.query(`select to_regclass('counters__former') as former, (select count(*)::int from projection_formers) as kept`);
  expect(left).toEqual([{ former: null, kept: 0 }]);
  expect(await rows()).toEqual(await folded());
});
