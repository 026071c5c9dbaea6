import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import type { View } from '../../../src/projections/kit/view.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

/** What no counter can take, until a release mends it. */
const unlucky = (by: number) => by === 13;
const counters = countersView();
const totals = countersView({ name: 'totals', poisonedBy: unlucky });
const mended = countersView({ name: 'totals' });
let world: EngineWorld;
beforeEach(async () => void (world = await engineWorld([counters, totals])));
afterEach(() => world.close());

const raise = (by: number, counter = 'a', stream = `counter-${counter}`) => world.append(stream, ['CounterRaised', { counter, by }]);
async function rowsOf(table: string) {
  const { rows } = await world.database.pool.query(`select counter, sum::int, events, latest from ${table}`);
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
}
async function folded(wanted: (by: number, counter: string) => boolean = () => true) {
  const events = [];
  for await (const event of world.eventStore.readLog()) {
    const { by, counter } = event.data as { by: number; counter: string };
    if (wanted(by, counter)) events.push(event);
  }
  return foldOfLog(events);
}
async function started(...views: View[]): Promise<ProjectionEngine> {
  const engine = world.engine(views);
  await engine.start();
  return engine;
}
const parkedOf = async (engine: ProjectionEngine) => (await engine.parked()).map(({ view, key, event, error, waiting }) => ({ view, key, type: event.type, stream: event.stream, error, waiting }));

describe('an event that a view cannot take', () => {
  test('parks its key: the other keys and the other views go on, and later events of the key wait in order', async () => {
    const engine = await started(counters, totals);
    for (const [by, counter] of [[1, 'a'], [13, 'a'], [2, 'a'], [3, 'b'], [4, 'a']] as const) await raise(by, counter);
    const { position } = await raise(5, 'b');
    await engine.waitFor(['counters', 'totals'], position);
    expect(await rowsOf('counters')).toEqual(await folded());
    expect(await rowsOf('totals')).toEqual({ a: { sum: 1, events: 1, latest: [1] }, b: { sum: 8, events: 2, latest: [3, 5] } });
    expect(await parkedOf(engine)).toEqual([{ view: 'totals', key: 'a', type: 'CounterRaised', stream: 'counter-a', error: 'cannot count 13', waiting: 2 }]);
    expect((await engine.status()).map(({ name, state, parkedKeys }) => ({ name, state, parkedKeys }))).toContainEqual({ name: 'totals', state: 'live', parkedKeys: 1 });
    expect(await engine.parkedCounts()).toEqual(new Map([['totals', 1]]));
  });

  test('is tried a few times first, so that what passes by itself parks nothing', async () => {
    let failures = 3;
    const flaky: View = {
      ...counters,
      project: async (events, tx) => {
        await counters.project(events, tx);
        if (failures-- > 0) throw new Error('not now');
      },
    };
    const engine = await started(flaky);
    await engine.waitFor(['counters'], (await raise(5)).position);
    expect(await rowsOf('counters')).toEqual(await folded());
    expect(await engine.parked()).toEqual([]);
  });

  test('and cannot even be decoded parks its stream, and with it the keys of the later events of that stream', async () => {
    const engine = await started(counters);
    await raise(1);
    await world.append('counter-a', ['CounterRaised', 'not an object']);
    await raise(2);
    await raise(3, 'a', 'elsewhere-a');
    await raise(4, 'b');
    const { position } = await raise(5, 'b', 'counter-a');
    await engine.waitFor(['counters'], position);
    expect(await rowsOf('counters')).toEqual({ a: { sum: 1, events: 1, latest: [1] }, b: { sum: 4, events: 1, latest: [4] } });
    const parked = await parkedOf(engine);
    expect(parked.map(({ key, waiting }) => ({ key, waiting }))).toEqual([{ key: 'stream:counter-a', waiting: 0 }, { key: 'a', waiting: 1 }, { key: 'b', waiting: 0 }]);
    expect(parked[0]!.error).toContain('CounterRaised of version 1 cannot be decoded: takes an object, not a text');
    expect(parked[1]!.error).toBeUndefined();
  });

  test('stops the view instead when the fault lies with its table, which every event would meet', async () => {
    const engine = await started(counters, totals);
    await world.database.pool.query('alter table totals rename to elsewhere');
    const { position } = await raise(1);
    const failing = await until('the failure shows', async () => (await engine.status()).find(({ name, state }) => name === 'totals' && state === 'failing'));
    expect(failing.error).toMatch(/^View totals cannot take CounterRaised counter-a@0 at .*"totals" does not exist/);
    expect(await engine.parked()).toEqual([]);
    await world.database.pool.query('alter table elsewhere rename to totals');
    await engine.waitFor(['totals'], position);
    expect(await rowsOf('totals')).toEqual(await folded());
  });
});

describe('parked events', () => {
  test('are taken up in order by a release that can take them, as soon as it starts', async () => {
    const broken = await started(totals);
    for (const by of [1, 13, 2, 13, 3]) await raise(by);
    await broken.waitFor(['totals'], (await raise(4, 'b')).position);
    await broken.stop();
    const engine = await started(mended);
    await until('nothing is parked', async () => (await engine.parked()).length === 0);
    expect(await rowsOf('totals')).toEqual(await folded());
    await engine.waitFor(['totals'], (await raise(6)).position);
    expect(await rowsOf('totals')).toEqual(await folded());
  });

  test('are tried again when asked for, and stay where they are when they fail again', async () => {
    const engine = await started(totals);
    for (const counter of ['a', 'b']) for (const by of [13, 1]) await raise(by, counter);
    await engine.waitFor(['totals'], (await raise(1, 'c')).position);
    expect(await engine.retryParked('totals', {})).toEqual({ taken: 0, left: 4 });
    const [before] = await engine.parked({ view: 'totals', key: 'a' });
    await engine.retryParked('totals', { key: 'a' });
    const [after] = await engine.parked({ view: 'totals', key: 'a' });
    expect(after!.attempts).toBe(before!.attempts + 1);
    // From another process, with the mended release, while the first one goes on projecting.
    expect(await world.engine([mended]).retryParked('totals', { key: 'a' })).toEqual({ taken: 2, left: 2 });
    await engine.waitFor(['totals'], (await raise(2)).position);
    expect(await rowsOf('totals')).toEqual(await folded((_, counter) => counter !== 'b'));
    expect((await engine.parked()).map(({ key }) => key)).toEqual(['b']);
  });

  test('go on without the one that is skipped, and so does a rebuild', async () => {
    const engine = await started(totals);
    for (const by of [1, 13, 2, 3]) await raise(by);
    await engine.waitFor(['totals'], (await raise(1, 'b')).position);
    const [{ view, key, event, error }] = await engine.parked() as [any];
    const { revision: _, ...skipped } = event;
    await world.append('projection-totals', ['ParkedEventSkipped', { view, key, event: skipped, error, reason: 'it was a joke' }]);
    expect(await engine.retryParked('totals', { key: 'a', skip: event.id })).toEqual({ taken: 3, left: 0 });
    expect(await rowsOf('totals')).toEqual(await folded((by) => by !== 13));
    await engine.rebuild('totals', () => undefined);
    expect(await rowsOf('totals')).toEqual(await folded((by) => by !== 13));
    expect(await engine.parked()).toEqual([]);
  });

  test('that could not be decoded let go of everything behind them once they can', async () => {
    const engine = await started(counters);
    await world.append('counter-a', ['CounterRaised', 'not an object']);
    for (const by of [1, 2]) await raise(by);
    await raise(3, 'a', 'elsewhere-a');
    await engine.waitFor(['counters'], (await raise(4, 'b')).position);
    const lenient = {
      ...counters,
      keyOf: (event) => (typeof event.data === 'string' ? 'a' : counters.keyOf!(event)),
      project: async (events, tx) => counters.project(events.filter(({ data }) => typeof data !== 'string'), tx),
    } satisfies View;
    expect(await world.engine([lenient]).retryParked('counters', {})).toEqual({ taken: 4, left: 0 });
    await engine.waitFor(['counters'], (await raise(5)).position);
    expect(await rowsOf('counters')).toEqual(await folded((by) => by !== undefined));
  });

  test('whose stream was deleted since then are let go', async () => {
    const engine = await started(totals);
    for (const by of [13, 1]) await raise(by);
    await engine.waitFor(['totals'], (await raise(1, 'b')).position);
    await world.eventStore.tombstoneStream('counter-a');
    expect(await engine.retryParked('totals', {})).toEqual({ taken: 2, left: 0 });
    expect(await rowsOf('totals')).toEqual({ b: { sum: 1, events: 1, latest: [1] } });
  });

  test('of a view that is not there are refused', async () => {
    const engine = await started(totals);
    await expect(engine.retryParked('nope', {})).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(engine.parked({ view: 'nope' })).rejects.toThrow('There is no view nope');
  });
});

describe('a rebuild over events that the view cannot take', () => {
  test('parks their keys likewise, in the place of those that were parked before', async () => {
    const engine = await started(counters, totals);
    for (const [by, counter] of [[1, 'a'], [13, 'a'], [2, 'a'], [3, 'b'], [13, 'c']] as const) await raise(by, counter);
    await engine.waitFor(['totals'], (await raise(4, 'b')).position);
    const [rows, parked] = [await rowsOf('totals'), await parkedOf(engine)];
    await engine.rebuild('totals', () => undefined);
    expect(await rowsOf('totals')).toEqual(rows);
    expect((await parkedOf(engine)).sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual(parked);
    await engine.waitFor(['totals'], (await raise(5, 'a')).position);
    expect((await parkedOf(engine)).find(({ key }) => key === 'a')).toMatchObject({ waiting: 2 });
    await world.engine([mended]).retryParked('totals', {});
    expect(await rowsOf('totals')).toEqual(await folded());
  });

  test('parks those too that come while it follows the log', async () => {
    const engine = await started(counters, totals);
    for (let by = 0; by < 12; by++) await raise(by, `c${by % 3}`);
    let appended: Promise<unknown> | undefined;
    await engine.rebuild('totals', ({ phase }) => {
      if (phase === 'indexing') appended ??= Promise.all([raise(13, 'c1'), raise(1, 'c2')]).then(() => raise(2, 'c1'));
    });
    await appended;
    await engine.waitFor(['totals'], (await raise(7, 'c0')).position);
    expect((await parkedOf(engine)).map(({ key, waiting }) => ({ key, waiting }))).toEqual([{ key: 'c1', waiting: 1 }]);
    await world.engine([mended]).retryParked('totals', {});
    expect(await rowsOf('totals')).toEqual(await folded());
  });

  test('parks nothing when its release can take them, and so heals the view', async () => {
    const broken = await started(totals);
    for (const by of [1, 13, 2]) await raise(by);
    await broken.waitFor(['totals'], (await raise(1, 'b')).position);
    await world.engine([mended]).rebuild('totals', () => undefined);
    expect(await broken.parked()).toEqual([]);
    await broken.waitFor(['totals'], (await raise(3)).position);
    expect(await rowsOf('totals')).toEqual(await folded());
  });
});
