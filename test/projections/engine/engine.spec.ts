import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startOfLog } from '../../../src/platform/eventstore/port.js';
import { until } from '../../support/until.js';
import { countersView } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

const counters = countersView();
const totals = countersView({ name: 'totals', poisonedBy: (by) => by === 13 });
let world: EngineWorld;
beforeEach(async () => void (world = await engineWorld([counters, totals])));
afterEach(() => world.close());

const rowsOf = async (table: string) => (await world.database.pool.query(`select counter, sum::int, events from ${table} order by counter`)).rows;

test('an event is in every view that wants it as soon as waiting for its position ends', async () => {
  const engine = world.engine([counters, totals]);
  await engine.start();
  const { position } = await world.append('counter-a', ['CounterRaised', { counter: 'a', by: 2 }], ['CounterRaised', { counter: 'a', by: 3 }]);
  await engine.waitFor(['counters', 'totals'], position);
  expect(await rowsOf('counters')).toEqual([{ counter: 'a', sum: 5, events: 2 }]);
  expect(await rowsOf('totals')).toEqual([{ counter: 'a', sum: 5, events: 2 }]);
});
