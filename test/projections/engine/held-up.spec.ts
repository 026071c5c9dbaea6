import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { PoolClient } from 'pg';
import type { StoredEvent } from '../../../src/platform/eventstore/port.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

const views = [countersView(), countersView({ name: 'totals' })];
let world: EngineWorld;
let engine: ProjectionEngine;
let somebody: PoolClient;
beforeEach(async () => {
  world = await engineWorld(views);
  engine = world.engine(views);
  await engine.start();
  await engine.waitFor(['counters', 'totals'], await raise(1));
  somebody = await world.database.pool.connect();
});
afterEach(async () => {
  somebody.release(true);
  await world.close();
});

const raise = async (by: number, counter = 'a') => (await world.append(`counter-${counter}`, ['CounterRaised', { counter, by }])).position;
async function rows(table: string) {
  const { rows } = await world.database.pool.query(`select counter, sum::int, events, latest from ${table}`);
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
}
async function folded() {
  const events: StoredEvent[] = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return foldOfLog(events);
}

test.each([
  ['whose table an operator has locked', 1, 'lock table counters in share mode'],
  ['whose table an operator has locked, in several slices,', 4, 'lock table counters in share mode'],
  ['whose parked events somebody takes up', 1, `select from projection_checkpoints where view = 'counters' for update`],
])('a view %s holds up no other, and goes on afterwards', async (_, slices, lock) => {
  await engine.split('counters', slices);
  await until('all slices are owned', async () => (await engine.status())[0]!.slices.filter(({ owner }) => owner).length === slices);
  await somebody.query(`begin; ${lock}`);
  for (let n = 0; n < 8; n++) await raise(n, `c${n}`);
  await engine.waitFor(['totals'], await raise(2));
  expect(await rows('totals')).toEqual(await folded());
  expect(await rows('counters')).toEqual({ a: { sum: 1, events: 1, latest: [1] } });
  await somebody.query('commit');

  await engine.waitFor(['counters', 'totals'], await raise(3));
  expect(await rows('counters')).toEqual(await folded());
  expect(await engine.parked()).toEqual([]);
});
