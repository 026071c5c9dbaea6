import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatPosition, type StoredEvent } from '../../../src/platform/eventstore/port.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import { rowsAt } from '../../../src/projections/kit/as-of.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

let poison: number | undefined;
const view = countersView({ history: true, poisonedBy: (by) => by === poison });
let world: EngineWorld;
beforeAll(async () => void (world = await engineWorld([view])));
afterAll(() => world.close());

const counter = fc.constantFrom('a', 'b', 'c');
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('raise' as const), counter, by: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), counter }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rebuild' as const) }) },
);

async function wholeLog(): Promise<StoredEvent[]> {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return events;
}

async function rowsOf(asOf?: string) {
  const { rows } = await world.database.pool.query(`select counter, sum::int, events, latest from ${rowsAt('counters', asOf)}`);
  return Object.fromEntries(rows.map(({ counter: name, ...row }) => [name, row]));
}

/** From the place before `from` events on, at every place of the log. */
async function expectThePast(events: readonly StoredEvent[], from: number): Promise<void> {
  for (let until = from; until <= events.length; until++) {
    expect(await rowsOf(until === 0 ? '0' : formatPosition(events[until - 1]!.position))).toEqual(foldOfLog(events.slice(0, until)));
  }
  expect(await rowsOf(formatPosition(events.at(-1)!.position))).toEqual(await rowsOf());
}

async function started(): Promise<ProjectionEngine> {
  const engine = world.engine([view]);
  await engine.start();
  return engine;
}

test('at every place of the log the rows are the fold up to it, however they were projected, and a rebuild gives the same history', async () => {
  let known = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 20 }), async (steps) => {
      let engine = await started();
      let last = (await world.append('counter-a', ['CounterRaised', { counter: 'a', by: 1 }])).position;
      for (const now of steps) {
        if (now.do === 'raise') last = (await world.append(`counter-${now.counter}`, ...now.by.map((by) => ['CounterRaised', { counter: now.counter, by }] as const))).position;
        else if (now.do === 'remove') last = (await world.append(`counter-${now.counter}`, ['CounterRemoved', { counter: now.counter }])).position;
        else if (now.do === 'wait') await engine.waitFor(['counters'], last);
        else if (now.do === 'rebuild') await engine.rebuild('counters', () => undefined);
        else {
          await engine.stop();
          engine = await started();
        }
      }
      await engine.waitFor(['counters'], last);
      const events = await wholeLog();
      await expectThePast(events, known);
      expect(await engine.compare('counters')).toMatchObject({ same: true, tables: [{ table: 'counters' }, { table: 'counters_history' }] });
      await engine.rebuild('counters', () => undefined);
      await expectThePast(events, known);
      known = events.length;
      await engine.stop();
    }),
    { numRuns: Number(process.env['TARL_PROPERTY_RUNS'] ?? 8), endOnFailure: true },
  );
}, 600_000);

test('an event that could not be taken for a while stands in the history where it happened', async () => {
  const engine = await started();
  poison = 77;
  await world.append('counter-p', ['CounterRaised', { counter: 'p', by: 1 }], ['CounterRaised', { counter: 'p', by: 77 }], ['CounterRaised', { counter: 'p', by: 2 }]);
  const { position } = await world.append('counter-q', ['CounterRaised', { counter: 'q', by: 5 }]);
  await engine.waitFor(['counters'], position);
  expect(await engine.parked({ view: 'counters' })).toHaveLength(1);
  poison = undefined;
  await engine.retryParked('counters', {});
  const events = await wholeLog();
  await expectThePast(events, events.length - 5);
  await engine.stop();
});
