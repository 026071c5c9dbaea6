import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect } from '../../../src/platform/eventstore/index.js';
import type { EventStore, StoredEvent } from '../../../src/platform/eventstore/port.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import type { View } from '../../../src/projections/kit/view.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

const broken = countersView({ poisonedBy: (by) => by === 13 });
const mended = countersView();
let world: EngineWorld;
let eventStores: EventStore[];
let owner: ProjectionEngine;
beforeEach(async () => {
  world = await engineWorld([mended]);
  eventStores = [];
  owner = world.engine([broken], { name: 'owner' });
  await owner.start();
});
afterEach(async () => {
  await world.close();
  await Promise.all(eventStores.map((eventStore) => eventStore.close()));
});

const by = (event: StoredEvent) => (event.data as { by: number }).by;
const raise = (...numbers: number[]) => world.append('counter-a', ...numbers.map((each) => ['CounterRaised', { counter: 'a', by: each }] as const));
async function rows() {
  const { rows } = await world.database.pool.query('select counter, sum::int, events, latest from counters');
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
}
async function folded() {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return foldOfLog(events);
}
async function parkedBehind(events: number): Promise<void> {
  await raise(1, 13, ...Array.from({ length: events }, (_, n) => 100 + n));
  await until('all of them wait', async () => (await owner.parked())[0]?.waiting === events);
}

/** Two processes that come to the view's checkpoint at one moment, and how often each of them tries an event. */
function racing(view: View) {
  const tries = new Map<number, number>();
  let arrived = 0;
  const bothThere = Promise.withResolvers<void>();
  const counted: View = {
    ...view,
    project: (events, tx) => {
      for (const event of events) tries.set(by(event), (tries.get(by(event)) ?? 0) + 1);
      return view.project(events, tx);
    },
  };
  const pair = ['one', 'other'].map((name) => {
    const eventStore = connect(world.eventStoreUrl);
    eventStores.push(eventStore);
    let isFirst = true;
    return world.engine([counted], {
      name, eventStore, projects: false,
      before: (statement) => {
        if (!isFirst || !statement.endsWith('for update')) return undefined;
        isFirst = false;
        if (++arrived === 2) bothThere.resolve();
        return bothThere.promise;
      },
    });
  });
  return { tries, retry: () => Promise.allSettled(pair.map((engine) => engine.retryParked('counters', { key: 'a' }))) };
}

test('two processes that retry one key at the same moment take its events once, in order, while more come', async () => {
  await parkedBehind(10);
  const { tries, retry } = racing(mended);
  let isOver = false;
  // With these they are still fewer than one transaction takes.
  const writing = (async () => {
    let last = await raise(1000);
    for (let n = 1001; n < 1050 && !isOver; n++) last = await raise(n);
    return last.position;
  })();
  const outcomes = await retry();
  isOver = true;
  await owner.waitFor(['counters'], await writing);

  const told = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason));
  expect(told.reduce((sum, { taken }) => sum + taken, 0)).toBeGreaterThanOrEqual(11);
  expect(told.map(({ left }) => left)).toEqual([0, 0]);
  expect(await owner.parked()).toEqual([]);
  expect([...tries.values()].every((count) => count === 1)).toBe(true);
  expect(await rows()).toEqual(await folded());
});

test('where the events take several transactions, one of the two takes them all, and the other is told to try again', async () => {
  await parkedBehind(450);
  const { tries, retry } = racing(mended);
  const outcomes = await retry();
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused).toMatchObject([{ reason: { code: 'ABORTED', details: { reason: 'CONCURRENT_CHANGES' } } }]);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toMatchObject([{ value: { left: 0 } }]);
  expect(await owner.parked()).toEqual([]);
  expect([...tries.values()].every((count) => count === 1)).toBe(true);
  await owner.waitFor(['counters'], (await raise(5)).position);
  expect(await rows()).toEqual(await folded());
});

test('what fails for both of them stays where it is, and both are told', async () => {
  await parkedBehind(3);
  const { tries, retry } = racing(broken);
  expect((await retry()).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason))).toEqual([{ taken: 0, left: 4 }, { taken: 0, left: 4 }]);
  expect(tries).toEqual(new Map([[13, 2]]));
  expect(await owner.parked()).toMatchObject([{ key: 'a', attempts: 7, waiting: 3, error: 'cannot count 13' }]);
  await owner.waitFor(['counters'], (await raise(5)).position);
  expect(await owner.parked()).toMatchObject([{ key: 'a', waiting: 4 }]);
});
