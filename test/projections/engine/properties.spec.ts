import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import type { View } from '../../../src/projections/kit/view.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

/** Failures that the view `totals` has yet to have. */
let stumbles = 0;
const totals = countersView({ name: 'totals' });
const stumbling: View = {
  ...totals,
  project: async (events, tx) => {
    await totals.project(events, tx);
    if (stumbles-- > 0) throw new Error('stumbled');
  },
};
const views = [countersView(), stumbling];
let world: EngineWorld;
beforeEach(async () => void (world = await engineWorld(views)));
afterEach(() => world.close());

const counter = fc.constantFrom('a', 'b', 'c', 'd');
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('append' as const), counter, by: fc.array(fc.integer({ min: -9, max: 99 }), { minLength: 1, maxLength: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), counter }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('other' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('second engine' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rebuild' as const), view: fc.constantFrom('counters', 'totals') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('split' as const), view: fc.constantFrom('counters', 'totals', 'command-log'), slices: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('stumble' as const), times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose locks' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

test('whatever is written, restarted, rebuilt, split and lost: the rows are a fold of the log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const engines: ProjectionEngine[] = [await started()];
      stumbles = 0;
      let last = (await world.append('counter-a', ['CounterRaised', { counter: 'a', by: 1 }])).position;
      const rebuilds: Promise<void>[] = [];
      const splits: Promise<void>[] = [];
      for (const now of steps) {
        switch (now.do) {
          case 'append':
            last = (await world.append(`counter-${now.counter}`, ...now.by.map((by) => ['CounterRaised', { counter: now.counter, by }] as const))).position;
            break;
          case 'remove':
            last = (await world.append(`counter-${now.counter}`, ['CounterRemoved', { counter: now.counter }])).position;
            break;
          case 'other':
            last = (await world.append('other-x', ['SomethingElse', {}])).position;
            break;
          case 'restart':
            await engines.shift()?.stop();
            engines.push(await started());
            break;
          case 'second engine':
            if (engines.length < 3) engines.push(await started());
            break;
          case 'rebuild':
            rebuilds.push(engines[0]!.rebuild(now.view, () => undefined).catch(() => undefined));
            break;
          case 'split':
            splits.push(engines[0]!.split(now.view, now.slices).catch(() => undefined));
            break;
          case 'stumble':
            stumbles = now.times;
            break;
          // The sessions of owners: the first half of their locks begins there.
          case 'lose locks':
            await world.database.pool.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid::bigint between ${0x7461_7300} and ${0x7461_7340} and database = (select oid from pg_database where datname = current_database())`);
            break;
          case 'wait':
            await engines.at(-1)!.waitFor(['counters'], last);
        }
      }
      await Promise.all([...rebuilds, ...splits]);
      await engines[0]!.waitFor(['counters', 'totals'], last);
      const events = [];
      for await (const event of world.eventStore.readLog()) events.push(event);
      for (const table of ['counters', 'totals']) {
        const { rows } = await world.database.pool.query(`select counter, sum::int, events, latest from ${table}`);
        expect(Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]))).toEqual(foldOfLog(events));
      }
      await Promise.all(engines.map((engine) => engine.stop()));
    }),
    { numRuns: Number(process.env['TARL_PROPERTY_RUNS'] ?? 15), endOnFailure: true },
  );

  async function started(): Promise<ProjectionEngine> {
    const engine = world.engine(views);
    await engine.start();
    return engine;
  }
}, 600_000);
