import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startOfLog } from '../../../src/platform/eventstore/port.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import type { View } from '../../../src/projections/kit/view.js';
import { until } from '../../support/until.js';
import { countersView } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

const counters = countersView();
const totals = countersView({ name: 'totals' });
let world: EngineWorld;
beforeEach(async () => void (world = await engineWorld([counters, totals])));
afterEach(() => world.close());

const raise = (by: number, counter = 'a') => world.append(`counter-${counter}`, ['CounterRaised', { counter, by }]);
const rowsOf = async (table: string) => (await world.database.pool.query(`select counter, sum::int, events from ${table} order by counter`)).rows;

test('an event is in every view that wants it as soon as waiting for its position ends', async () => {
  const engine = world.engine([counters, totals]);
  await engine.start();
  const { position } = await world.append('counter-a', ['CounterRaised', { counter: 'a', by: 2 }], ['CounterRaised', { counter: 'a', by: 3 }]);
  await engine.waitFor(['counters', 'totals'], position);
  expect(await rowsOf('counters')).toEqual([{ counter: 'a', sum: 5, events: 2 }]);
  expect(await rowsOf('totals')).toEqual([{ counter: 'a', sum: 5, events: 2 }]);
});

test('a batch does not wait for the disk on a Postgres that otherwise does', async () => {
  const { pool } = world.database;
  const { rows: [{ name }] } = await pool.query('select current_database() as name');
  await pool.query(`alter database "${name}" set synchronous_commit = on`);
  const seen: string[] = [];
  const noting: View = {
    ...counters,
    async project(events, tx) {
      seen.push((await tx.client.query('show synchronous_commit')).rows[0].synchronous_commit);
      await counters.project(events, tx);
    },
  };
  const engine = world.engine([noting]);
  await engine.start();
  const { position } = await raise(1);
  await engine.waitFor(['counters'], position);
  expect(await rowsOf('counters')).toEqual([{ counter: 'a', sum: 1, events: 1 }]);
  expect(seen).toEqual(['off']);
});

test('an engine that starts and stops in order complains of nothing', async () => {
  const engine = world.engine([counters, totals]);
  await engine.start();
  const { position } = await raise(1);
  await engine.waitFor(['counters', 'totals'], position);
  await engine.stop();
  expect(world.complaints).toEqual([]);
});

test('a view reaches positions whose events it does not want, and its checkpoint is written also then', async () => {
  const engine = world.engine([counters]);
  await engine.start();
  const { position } = await world.append('other-a', ['SomethingElse', { any: 'thing' }]);
  await engine.waitFor(['counters'], position);
  await until('the checkpoint is written', async () => {
    const { rows } = await world.database.pool.query(`select 1 from projection_checkpoints where view = 'counters' and commit_position >= $1`, [`${position.commit}`]);
    return rows.length > 0;
  });
});

describe('waiting for a position', () => {
  test('that the view has not reached in time is refused with its place', async () => {
    const engine = world.engine([counters]);
    const { position } = await raise(1);
    await expect(engine.waitFor(['counters'], position, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `View counters is at position 0 and has not reached ${position.commit} yet`,
    });
  });

  test('beyond the end of the log is the caller\'s mistake', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    const beyond = { commit: 1n << 60n, prepare: 1n << 60n };
    await expect(engine.waitFor(['counters'], beyond, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'OUT_OF_RANGE', details: { reason: 'POSITION_BEYOND_END' } });
  });

  test('beyond the end of the log is refused before the time is up, which would never come', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    const beyond = { commit: 1n << 60n, prepare: 1n << 60n };
    const caller = new AbortController();
    await expect(engine.waitFor(['counters'], beyond, { timeoutMs: 3_600_000, signal: caller.signal })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
  });

  test('ends when its caller gives up', async () => {
    const engine = world.engine([counters]);
    const { position } = await raise(1);
    const caller = new AbortController();
    const waiting = engine.waitFor(['counters'], position, { signal: caller.signal });
    caller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
  });

  test('works in a process that only answers queries', async () => {
    const [projector, answering] = [world.engine([counters]), world.engine([counters], { projects: false })];
    await projector.start();
    await answering.start();
    const { position } = await raise(7);
    await answering.waitFor(['counters'], position);
    expect(answering.isOwner).toBe(false);
    expect(await rowsOf('counters')).toEqual([{ counter: 'a', sum: 7, events: 1 }]);
  });
});

describe('several processes', () => {
  const started = async () => {
    const engine = world.engine([counters, totals]);
    await engine.start();
    return engine;
  };
  const bothOwn = (a: ProjectionEngine, b: ProjectionEngine) => until('both own something', () => a.isOwner && b.isOwner);

  test('share the views, and each waits for what the other projects', async () => {
    const [a, b] = [await started(), await started()];
    await bothOwn(a, b);
    const { position } = await raise(7);
    for (const engine of [a, b]) await engine.waitFor(['counters', 'totals', 'command-log'], position);
    expect(await rowsOf('counters')).toEqual([{ counter: 'a', sum: 7, events: 1 }]);
    expect(await rowsOf('totals')).toEqual([{ counter: 'a', sum: 7, events: 1 }]);
  });

  test('take over from one that stops', async () => {
    const [a, b] = [await started(), await started()];
    await bothOwn(a, b);
    await raise(1);
    await a.stop();
    const { position } = await raise(2);
    await b.waitFor(['counters', 'totals'], position);
    expect(await rowsOf('counters')).toEqual([{ counter: 'a', sum: 3, events: 2 }]);
  });

  test('still answer those who wait when another one has taken the views over meanwhile', async () => {
    const hanging = Promise.withResolvers<void>();
    const stuck: View = { ...totals, project: (events, tx) => hanging.promise.then(() => totals.project(events, tx)) };
    const a = world.engine([stuck]);
    await a.start();
    await until('it owns both', async () => (await a.status()).every(({ slices }) => slices[0]!.owner !== undefined));
    const { position } = await raise(7);
    const waiting = a.waitFor(['totals', 'command-log'], position);
    const b = world.engine([stuck]);
    await b.start();
    hanging.resolve();
    await until('the other one has its share', () => b.isOwner);
    await waiting;
    for (const engine of [a, b]) await engine.waitFor(['totals', 'command-log'], (await raise(8)).position);
  });

  test('say alike who owns what', async () => {
    const engines = ['one', 'two'].map((name) => world.engine([counters, totals], { name }));
    const outside = world.engine([counters, totals], { projects: false });
    for (const engine of [...engines, outside]) await engine.start();
    await bothOwn(engines[0]!, engines[1]!);
    for (const engine of [...engines, outside]) {
      await until('each owns its share', async () => {
        const owners = (await engine.status()).map(({ slices }) => slices[0]!.owner);
        return owners.every((owner) => owner === 'one' || owner === 'two') && new Set(owners).size === 2;
      });
    }
  });
});

describe('an owner', () => {
  test('stops when its lock is lost and goes on when it has it again', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(1)).position);
    for (let by = 2; by <= 4; by++) {
      await until('a lock is taken away', async () => {
        const { rows } = await world.database.pool.query(
          `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
        );
        return rows.length > 0;
      });
      await engine.waitFor(['counters'], (await raise(by)).position);
    }
    expect(await rowsOf('counters')).toEqual([{ counter: 'a', sum: 10, events: 4 }]);
  });

  test('throws its batch away when somebody else has moved the checkpoint', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    const { position } = await raise(1);
    await engine.waitFor(['counters'], position);
    // As if another owner had projected the second event already.
    const second = await raise(100);
    await engine.waitFor(['counters'], second.position);
    await world.database.pool.query(`begin; update projection_checkpoints set commit_position = ${position.commit}, prepare_position = ${position.prepare}; update counters set sum = 1, events = 1; commit`);
    const third = await raise(10);
    await engine.waitFor(['counters'], third.position);
    expect(await rowsOf('counters')).toEqual([{ counter: 'a', sum: 111, events: 3 }]);
  });
});

test('an engine with a fresh log starts its views without building anything', async () => {
  const engine = world.engine([counters, totals]);
  await engine.start();
  await until('all are live', async () => (await engine.status()).every(({ state }) => state === 'live'));
  const status = await engine.status();
  expect(status.map(({ name, position, lagMs, lagPositions }) => ({ name, position, lagMs, lagPositions }))).toEqual(
    ['counters', 'totals', 'command-log'].map((name) => ({ name, position: '0', lagMs: 0, lagPositions: '0' })),
  );
  await expect(engine.waitFor(['counters'], startOfLog)).resolves.toBeUndefined();
});
