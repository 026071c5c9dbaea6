import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Operation } from '../../../src/api/core.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import { until } from '../../support/until.js';
import { countersView } from './counters.js';
import { runPlatformJob } from './job.js';
import { engineWorld, type EngineWorld } from './world.js';

const counters = countersView();
const rebuild = { kind: 'rebuild', view: 'counters', actor: 'key:me', onDifference: 'SWITCH' } as const;
const idOf = ({ name }: Operation) => name.slice('operations/'.length);
let world: EngineWorld;
let engine: ProjectionEngine;
beforeEach(async () => {
  world = await engineWorld([counters]);
  engine = world.engine([counters]);
  await engine.start();
  const { position } = await world.append('counter-a', ['CounterRaised', { counter: 'a', by: 5 }]);
  await engine.waitFor(['counters'], position);
  // Only a rebuild that was really made mends this.
  await world.database.pool.query('update counters set sum = 999');
});
afterEach(() => world.close());

const sum = async () => Number((await world.database.pool.query('select sum from counters')).rows[0].sum);
const ended = (asked: ProjectionEngine, { name }: Operation) => until('the operation has ended', async () => [await asked.operation(name.slice('operations/'.length))].find(({ done }) => done));

/** A reader that keeps a rebuild from switching. */
async function holdTable() {
  const reader = await world.database.pool.connect();
  await reader.query('begin');
  await reader.query('select * from counters');
  return async () => {
    await reader.query('commit');
    reader.release();
  };
}
const atSwitch = (operation: Operation) =>
  until('the rebuild waits to switch', async () => (await engine.operation(operation.name.slice('operations/'.length))).metadata.progress?.phase === 'switching');

test('a rebuild goes on by itself, and says how far it is and that it is done', async () => {
  const begun = await engine.begin(rebuild);
  expect(begun).toMatchObject({ name: expect.stringMatching(/^operations\/[0-9a-f-]{36}$/), done: false, metadata: { view: 'counters', actor: 'key:me', state: 'running' } });
  const done = await ended(engine, begun);
  expect(done).toMatchObject({ done: true, metadata: { state: 'done', progress: { events: 1, phase: 'switching' } } });
  expect(await sum()).toBe(5);
  expect(await engine.operations()).toEqual([done]);
});

test('another one of the same view is refused while it is under way', async () => {
  const leave = await holdTable();
  const begun = await engine.begin(rebuild);
  await atSwitch(begun);
  await expect(engine.begin(rebuild)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: 'View counters is being rebuilt already' });
  await leave();
  await ended(engine, begun);
});

test('a rebuild is called off from any process, and leaves the live table as it was', async () => {
  const leave = await holdTable();
  const begun = await engine.begin(rebuild);
  await atSwitch(begun);
  const other = world.engine([counters]);
  await other.steer(idOf(begun), 'cancel');
  expect(await ended(other, begun)).toMatchObject({ metadata: { state: 'cancelled' }, error: { code: 'CANCELLED' } });
  await leave();
  expect(await sum()).toBe(999);
});

test('a rebuild whose process stops is started anew by another one', async () => {
  const leave = await holdTable();
  const begun = await engine.begin(rebuild);
  await atSwitch(begun);
  const other = world.engine([counters]);
  await other.start();
  await engine.stop();
  await leave();
  expect(await ended(other, begun)).toMatchObject({ metadata: { state: 'done' } });
  expect(await sum()).toBe(5);
});

test('a rebuild whose process was killed is started anew once it has been silent for a while', async () => {
  const id = randomUUID();
  await world.database.pool.query(`insert into operations (id, view, actor, on_difference, runner, updated_at) values ($1, 'counters', 'key:me', 'SWITCH', gen_random_uuid(), now() - interval '11 seconds')`, [id]);
  expect(await until('it is done', async () => [await engine.operation(id)].find(({ done }) => done))).toMatchObject({ metadata: { state: 'done' } });
  expect(await sum()).toBe(5);
});

test('a rebuild that fails says why', async () => {
  await world.database.pool.query('alter table counters rename to elsewhere');
  expect(await ended(engine, await engine.begin(rebuild))).toMatchObject({ metadata: { state: 'failed' }, error: { code: 'INTERNAL', message: 'The rebuild failed; the log of the platform says why' } });
  expect(world.complaints.join()).toContain('"counters" does not exist');
});

test('an operation on a view that no process knows any more ends, and says so', async () => {
  const id = randomUUID();
  await world.database.pool.query(`insert into operations (id, view, actor) values ($1, 'gone', 'key:me')`, [id]);
  expect(await until('it has ended', async () => [await engine.operation(id)].find(({ done }) => done))).toMatchObject({ error: { code: 'NOT_FOUND', message: 'There is no view gone' } });
});

test('an operation or a view that is not there is refused', async () => {
  await expect(engine.operation('nope')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(engine.steer(randomUUID(), 'cancel')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(engine.begin({ ...rebuild, view: 'nope' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('the scheduled job forgets what ended longer ago, but nothing under way, and not the last comparison of a view', async () => {
  const { pool } = world.database;
  const put = async (days: number, state: string, comparison: object | null = null, view = 'counters') => {
    const id = randomUUID();
    await pool.query(`insert into operations (id, kind, view, actor, state, paused, comparison, started_at, updated_at) values ($1, $2, $6, 'key:me', $3, $3 = 'running', $4, now() - make_interval(days => $5), now() - make_interval(days => $5))`, [
      id, comparison ? 'comparison' : 'rebuild', state, comparison && JSON.stringify(comparison), days, view,
    ]);
    return id;
  };
  const compared = { view: 'counters', position: '1', same: true, tables: [], rows: [] };
  await put(31, 'done');
  await put(40, 'failed');
  await put(60, 'done', compared);
  const kept = [await put(50, 'done', compared), await put(45, 'failed', { ...compared, view: 'totals' }, 'totals'), await put(99, 'running'), await put(29, 'cancelled')];
  await runPlatformJob('remove-ended-operations', { removeEndedOperations: () => engine.removeEndedOperations(30) });
  const { rows } = await pool.query('select id from operations');
  expect(rows.map(({ id }) => id).sort()).toEqual(kept.sort());
});
