import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredEvent } from '../../../src/platform/eventstore/port.js';
import { SlowViews, Stopwatch } from '../../../src/projections/engine/slow-views.js';
import type { View } from '../../../src/projections/kit/view.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineOptions, type EngineWorld } from './world.js';

const counters = countersView();
const totals = countersView({ name: 'totals' });
let world: EngineWorld;
beforeEach(async () => void (world = await engineWorld([counters, totals])));
afterEach(() => world.close());

/** Longer than Postgres waits for the next statement of a transaction, and for a word of an owner. */
const tooLong_ms = 5_000;

/** Computes for so long that the process answers nobody, as a handler does with much to fold. */
function compute(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

/** The view, which computes for too long over some events. */
const slow = (isSlow: (events: readonly StoredEvent[]) => boolean, view: View = counters): View & { calls: number[] } => {
  const calls: number[] = [];
  return {
    ...view,
    calls,
    project: async (events, tx) => {
      calls.push(events.length);
      if (isSlow(events)) compute(tooLong_ms);
      await view.project(events, tx);
    },
  };
};
const raised = (by: number) => (events: readonly StoredEvent[]) => events.some(({ data }) => (data as { by: number }).by === by);

async function log(): Promise<StoredEvent[]> {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return events;
}
async function rows(table = 'counters') {
  const { rows } = await world.database.pool.query(`select counter, sum::int, events, latest from ${table}`);
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
}
const raise = (...by: number[]) => world.append('counter-a', ...by.map((each) => ['CounterRaised', { counter: 'a', by: each }] as const));
async function started(view: View, options: EngineOptions = {}) {
  const engine = world.engine([view, totals], options);
  await engine.start();
  await until('the views are kept', async () => (await engine.status()).every(({ slices }) => slices.every(({ owner }) => owner)));
  return engine;
}

test('a view that computes for too long over many events gets fewer at a time, and so gets on', async () => {
  const view = slow((events) => events.length > 60);
  const engine = await started(view);
  const { position } = await raise(...Array.from({ length: 200 }, (_, n) => n));
  await engine.waitFor(['counters', 'totals'], position);
  expect(await rows()).toEqual(foldOfLog(await log()));
  expect(await rows('totals')).toEqual(foldOfLog(await log()));
  expect(Math.max(...view.calls)).toBeGreaterThan(60);
});

test('a single event over which it computes for longer gets the time that it needs', async () => {
  const view = slow(raised(7));
  const engine = await started(view);
  const { position } = await raise(1, 2, 7, 3);
  await engine.waitFor(['counters', 'totals'], position);
  expect(await rows()).toEqual(foldOfLog(await log()));
  expect(await engine.parked()).toEqual([]);
});

test('an event over which it would compute for ever is parked, and everything else goes on', async () => {
  const view = slow(raised(7));
  const engine = await started(view, { longestSilence_ms: 4_500 });
  await raise(1, 7, 2);
  const { position } = await world.append('counter-b', ['CounterRaised', { counter: 'b', by: 1 }]);
  await engine.waitFor(['counters', 'totals'], position);
  expect(await rows()).toEqual({ a: { sum: 1, events: 1, latest: [1] }, b: { sum: 1, events: 1, latest: [1] } });
  expect(await engine.parked()).toMatchObject([{ view: 'counters', key: expect.stringContaining('a'), error: expect.stringContaining('4.5 s'), waiting: 1 }]);
  expect(await rows('totals')).toEqual(foldOfLog(await log()));
});

test('an event that was parked because computing took too long gets as long as any other when it is tried again', async () => {
  const before = await started(slow(raised(7)), { longestSilence_ms: 4_500 });
  const { position } = await raise(1, 7, 2);
  await before.waitFor(['counters', 'totals'], position, { timeoutMs: 60_000 });
  expect(await before.parked()).toHaveLength(1);
  await before.stop();

  const operator = world.engine([slow(raised(7)), totals], { projects: false });
  expect(await operator.retryParked('counters', {})).toEqual({ taken: 2, left: 0 });
  expect(await rows()).toEqual(foldOfLog(await log()));
});

test('an event that takes too long every time costs a process that starts its views once, and not again and again', async () => {
  const view = slow(raised(7));
  const before = await started(view, { longestSilence_ms: 4_500 });
  const { position } = await raise(1, 7, 2);
  await before.waitFor(['counters', 'totals'], position);
  await before.stop();

  const engine = await started(view, { longestSilence_ms: 4_500 });
  await until('it was tried again, and is left', async () => (await engine.parked())[0]!.attempts > 1);
  const tries = view.calls.length;
  await engine.waitFor(['counters', 'totals'], (await world.append('counter-b', ['CounterRaised', { counter: 'b', by: 1 }])).position);
  expect(await rows()).toEqual({ a: { sum: 1, events: 1, latest: [1] }, b: { sum: 1, events: 1, latest: [1] } });
  expect(await engine.parked()).toMatchObject([{ key: expect.stringContaining('a'), error: expect.stringContaining('4.5 s'), waiting: 1 }]);
  expect(view.calls).toHaveLength(tries + 1);
});

describe('a slow view', () => {
  const took = (took_ms: number) => Object.assign(new Stopwatch(), { slowest: 'a', took_ms });
  const events = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `${n}` }) as StoredEvent);

  test('gets as many events as it takes in half the time there is, and more again once that goes well', () => {
    const views = new SlowViews();
    expect(views.lost(took(10_000), events(1000))).toBe(true);
    const seen = new Set<number>();
    for (let piece = 0; piece < 100; piece++) {
      seen.add(views.mostEvents(['other', 'a']));
      views.taken(['a']);
    }
    expect([...seen]).toEqual([200, 400, 800, 1600, 3200, Infinity]);
    expect(views.mostEvents(['other'])).toBe(Infinity);
  });

  test('is one only where its transaction was lost after a long time', () => {
    const views = new SlowViews();
    expect(views.lost(took(3_900), events(10))).toBe(false);
    expect(views.mostEvents(['a'])).toBe(Infinity);
  });

  test('gets more time for one event, never for several, and not for ever', () => {
    const views = new SlowViews(30_000);
    const [one] = [events(1)];
    views.lost(took(9_000), one);
    expect([1, 2].map((count) => views.silence_ms(['other', 'a'], count))).toEqual([18_000, 4_000]);
    expect(views.silence_ms(['other'], 1)).toBe(4_000);
    views.lost(took(18_500), one);
    expect(views.silence_ms(['a'], 1)).toBe(30_000);
    expect(views.tooMuch('a', one)).toBeUndefined();
    views.lost(took(31_000), one);
    expect(views.tooMuch('a', one)).toMatchObject({ message: expect.stringContaining('30 s') });
    expect(views.tooMuch('other', one)).toBeUndefined();
  });
});
