import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { comparePositions, formatPosition, type StoredEvent } from '../../../src/platform/eventstore/port.js';
import { readCheckpoints } from '../../../src/projections/engine/checkpoints.js';
import { commandLogView } from '../../../src/projections/engine/command-log.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import { Lane } from '../../../src/projections/engine/lane.js';
import { sliceLock } from '../../../src/projections/engine/locks.js';
import { ParkedCounts } from '../../../src/projections/engine/parking/counts.js';
import { Rates } from '../../../src/projections/engine/rates.js';
import { Reached } from '../../../src/projections/engine/reached.js';
import { defaultLimits } from '../../../src/projections/engine/rebuild-pace.js';
import { SlowViews } from '../../../src/projections/engine/slow-views.js';
import { sliceOfKey } from '../../../src/projections/engine/slices.js';
import type { View, ViewTransaction } from '../../../src/projections/kit/view.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineOptions, type EngineWorld } from './world.js';

const counters = countersView();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let world: EngineWorld;
beforeEach(async () => void (world = await engineWorld([counters])));
afterEach(() => world.close());

const raise = (by: unknown, counter = 'a', stream = `counter-${counter}`) => world.append(stream, ['CounterRaised', { counter, by }]);
const rows = async () => {
  const { rows } = await world.database.pool.query('select counter, sum::int, events, latest from counters');
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
};
async function log(): Promise<StoredEvent[]> {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return events;
}
const folded = async (isWanted: (event: StoredEvent) => boolean = () => true) => foldOfLog((await log()).filter(isWanted));
async function started(view: View = counters, slices = 4, before?: EngineOptions['before']): Promise<ProjectionEngine> {
  const engine = world.engine([view], { before });
  await engine.start();
  await until('the view is there', () => engine.isOwner);
  await engine.split('counters', slices);
  await until('all slices are owned', async () => (await engine.status())[0]!.slices.filter(({ owner }) => owner !== undefined).length === slices);
  return engine;
}
/** Holds a batch up, with a word to Postgres now and then, which would else take the process for dead. Fails where its transaction is over: the owner of a slice waits for a batch's end before anybody goes on. */
async function holdUntil(isOver: () => boolean, { client }: ViewTransaction): Promise<void> {
  for (; !isOver(); await pause(20)) await client.query('savepoint still_there');
}
/** Counters of the slices 0 to 3 of four. */
const counterOf = [0, 1, 2, 3].map((slice) => Array.from({ length: 100 }, (_, n) => `c${n}`).find((name) => sliceOfKey(name, 4) === slice)!);

test('every slice projects its keys, and together they are the view', async () => {
  const engine = await started();
  let last = await raise(1);
  for (let by = 0; by < 60; by++) last = await raise(by, `c${by % 12}`);
  await engine.waitFor(['counters'], last.position);
  expect(await rows()).toEqual(await folded());
});

test('a slice that sees nothing of its own moves on all the same', async () => {
  const engine = await started();
  const { position } = await raise(5, counterOf[0]);
  await engine.waitFor(['counters'], position);
  expect((await engine.status())[0]!.slices.map(({ position }) => position)).toEqual(Array(4).fill(formatPosition(position)));
  await until('their checkpoints are written', async () => comparePositions((await readCheckpoints(world.database.pool)).get('counters')!.position, position) === 0);
});

test('waiting for a position waits for the slowest slice, in the process that projects and in others', async () => {
  let released = false;
  const hanging: View = {
    ...counters,
    project: async (events, tx) => {
      if (events.some(({ data }) => (data as { counter: string }).counter === counterOf[2])) await holdUntil(() => released, tx);
      await counters.project(events, tx);
    },
  };
  const engine = await started(hanging);
  const answering = world.engine([counters], { projects: false });
  // In one batch, so that the other slices have come to its end already.
  const { position } = await world.append('counter-both', ['CounterRaised', { counter: counterOf[2], by: 1 }], ['CounterRaised', { counter: counterOf[1], by: 2 }]);
  await until('another slice holds it', async () => (await rows())[counterOf[1]!]);
  try {
    for (const asked of [engine, answering]) await expect(asked.waitFor(['counters'], position, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'VIEW_BEHIND' } });
  } finally {
    released = true;
  }
  for (const asked of [engine, answering]) await asked.waitFor(['counters'], position);
  expect(await rows()).toEqual(await folded());
});

test('a slice that cannot take an event holds up none of the others while it is tried again', async () => {
  let tries = 0;
  let released = false;
  const poisoned: View = {
    ...counters,
    project: async (events, tx) => {
      if (!events.some(({ data }) => (data as { by: number }).by === 13)) return counters.project(events, tx);
      tries++;
      if (tries > 1) await holdUntil(() => released, tx);
      throw new Error('cannot count 13');
    },
  };
  const engine = await started(poisoned);
  await raise(13, counterOf[1]);
  await until('it is tried again', () => tries > 1);
  await raise(2, counterOf[2]);
  try {
    await until('another slice goes on', async () => (await rows())[counterOf[2]!]);
    expect(await engine.parked()).toEqual([]);
  } finally {
    released = true;
  }
  await until('its key is parked', async () => (await engine.parked()).length === 1);
  await engine.waitFor(['counters'], (await raise(3, counterOf[0])).position);
});

describe('splitting a view anew', () => {
  test('loses and doubles nothing while events come', async () => {
    const engine = await started();
    let last = await raise(1);
    let stopped = false;
    const writing = (async () => {
      for (let by = 0; !stopped; by++) last = await raise(by, `c${by % 12}`);
    })();
    for (const slices of [2, 7, 1, 3, 64, 4]) await engine.split('counters', slices);
    stopped = true;
    await writing;
    await engine.waitFor(['counters'], last.position);
    expect(await rows()).toEqual(await folded());
    expect((await engine.status())[0]!.slices).toHaveLength(4);
  });

  test('and back while its owner does not look goes on where it was', async () => {
    // While an owner asks who owns what, it hears of no split; the lane that follows the log looks by itself.
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let holds = false;
    const engine = await started(counters, 4, (statement) => (holds && statement.includes('pg_locks') ? (asked.resolve(), answered.promise) : undefined));
    await engine.waitFor(['counters'], (await raise(1)).position);
    holds = true;
    await asked.promise;
    const other = world.engine([counters], { projects: false });
    await other.split('counters', 2);
    // What follows the log for both views has looked anew once the other one is further.
    await engine.waitFor([commandLogView.name], (await raise(2)).position);
    await other.split('counters', 4);
    holds = false;
    answered.resolve();
    await engine.waitFor(['counters'], (await raise(3)).position);
    expect(await rows()).toEqual(await folded());
  });

  test('brings the slices to one position first', async () => {
    await (await started()).stop();
    for (let by = 0; by < 20; by++) await raise(by, `c${by % 12}`);
    await follow(1);
    const { position, furthest } = (await readCheckpoints(world.database.pool)).get('counters')!;
    expect(comparePositions(position, furthest)).toBeLessThan(0);
    await world.engine([counters]).split('counters', 3);
    expect((await readCheckpoints(world.database.pool)).get('counters')).toMatchObject({ position: furthest, furthest, slices: { length: 3 } });
    expect(await rows()).toEqual(await folded());
  });

  test('is refused while they are too far apart', async () => {
    await (await started()).stop();
    for (let request = 0; request < 11; request++) {
      await world.append('counter-a', ...Array.from({ length: 1000 }, () => ['CounterRaised', { counter: 'a', by: 1 }] as const));
    }
    await follow((sliceOfKey('a', 4) + 1) % 4);
    await expect(world.engine([counters]).split('counters', 3)).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'SLICES_APART' } });
  });

  test('into none, or into more than there can be, is refused', async () => {
    const engine = await started();
    for (const slices of [0, 65, 1.5]) await expect(engine.split('counters', slices)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { reason: 'INVALID_SLICES' } });
  });

  test('keeps parked keys parked, and what comes for them waits in order', async () => {
    const engine = await started(countersView({ poisonedBy: (by) => by === 13 }));
    await raise(1, counterOf[1]);
    await raise(13, counterOf[1]);
    await until('it is parked', async () => (await engine.parked()).length === 1);
    await engine.split('counters', 3);
    await raise(2, counterOf[1]);
    await engine.waitFor(['counters'], (await raise(3, counterOf[2])).position);
    expect(await rows()).toMatchObject({ [counterOf[1]!]: { sum: 1 }, [counterOf[2]!]: { sum: 3 } });
    await engine.stop();

    const mended = await started(counters, 2);
    await until('both are taken up', async () => (await mended.parked()).length === 0);
    expect(await rows()).toEqual(await folded());
  });
});

test('a release that finds slices far apart tries the parked events again once these have come together', async () => {
  const broken = await started(countersView({ poisonedBy: (by) => by === 13 }));
  await raise(13, counterOf[1]);
  await until('it is parked', async () => (await broken.parked()).length === 1);
  await broken.stop();
  for (let request = 0; request < 11; request++) {
    await world.append(`counter-${counterOf[2]}`, ...Array.from({ length: 1000 }, () => ['CounterRaised', { counter: counterOf[2], by: 1 }] as const));
  }
  await follow(0);
  // The slice that is behind is another one's for as long as the first attempt takes.
  const other = await world.database.pool.connect();
  await other.query('select pg_advisory_lock($1, $2)', [...sliceLock('counters', 2)]);
  const mended = world.engine([counters]);
  try {
    await mended.start();
    await until('it is refused', () => world.complaints.some((line) => line.includes('The parked events could not be tried again') && line.includes('events apart')));
  } finally {
    await other.query('select pg_advisory_unlock($1, $2)', [...sliceLock('counters', 2)]);
    other.release();
  }
  await until('nothing waits any more', async () => (await mended.parked()).length === 0);
  await mended.waitFor(['counters'], (await raise(3, counterOf[1])).position);
  expect(await rows()).toEqual(await folded());
});

describe('an event whose key cannot be told', () => {
  const stream = 'counter-shared';

  test('holds up the later events of its stream in every slice, until somebody goes on without it', async () => {
    const engine = await started();
    for (const counter of counterOf) await raise(1, counter, stream);
    await raise('many', counterOf[0], stream);
    for (const counter of counterOf) await raise(2, counter, stream);
    await engine.waitFor(['counters'], (await raise(10, 'elsewhere')).position);
    for (const counter of counterOf) expect((await rows())[counter]).toMatchObject({ sum: 1 });
    expect((await rows())['elsewhere']).toMatchObject({ sum: 10 });

    // Whoever starts afterwards knows of it too.
    await engine.stop();
    const next = await started();
    await next.waitFor(['counters'], (await raise(4, counterOf[3], stream)).position);
    expect((await rows())[counterOf[3]!]).toMatchObject({ sum: 1 });

    const { event } = (await next.parked({ view: 'counters', key: `stream:${stream}` }))[0]!;
    await next.retryParked('counters', { skip: event.id });
    expect(await next.parked()).toEqual([]);
    expect(await rows()).toEqual(await folded(({ id }) => id !== event.id));
    await next.waitFor(['counters'], (await raise(7, counterOf[2], stream)).position);
    expect(await rows()).toEqual(await folded(({ id }) => id !== event.id));
  });

  test('does so also where the slice that has to park it is the last to see it', async () => {
    await (await started()).stop();
    await raise('many', counterOf[0], stream);
    for (const counter of counterOf) await raise(2, counter, stream);
    const parking = sliceOfKey(`stream:${stream}`, 4);
    for (const slice of [0, 1, 2, 3].filter((index) => index !== parking)) await follow(slice);
    expect(await rows()).toEqual({});
    const engine = world.engine([counters]);
    // The slices are brought together first, so the event is parked by then, and those that wait for it go on waiting.
    await engine.retryParked('counters', {});
    expect(await rows()).toEqual({});
    expect((await engine.parked({ key: `stream:${stream}` }))[0]).toMatchObject({ event: { stream, revision: '0' } });
  });

  test.each(['themselves', 'a split'])('holds up nothing that came before it, also where the slice that parks it sees it first and the others come up by %s', async (by) => {
    await (await started()).stop();
    for (const counter of counterOf) await raise(1, counter, stream);
    await raise('many', counterOf[0], stream);
    for (const counter of counterOf) await raise(2, counter, stream);
    await follow(sliceOfKey(`stream:${stream}`, 4));
    const [first, ...others] = [0, 1, 2, 3].filter((index) => index !== sliceOfKey(`stream:${stream}`, 4));
    await follow(first!);
    // The others are brought to the same place.
    if (by === 'a split') await world.engine([counters]).split('counters', 3);
    else for (const slice of others) await follow(slice);
    expect(await rows()).toEqual(Object.fromEntries(counterOf.map((counter) => [counter, expect.objectContaining({ sum: 1 })])));
  });
});

/** Brings one slice of four to the end of the log. */
async function follow(index: number): Promise<void> {
  const { eventStore, database: { pool } } = world;
  const surroundings = { eventStore, pool, log: silent, reached: new Reached(), rates: new Rates(), parked: new ParkedCounts(pool), slowViews: new SlowViews(), limits: { ...defaultLimits, traffic: { flows: false, look: async () => undefined } } };
  await new Lane([{ view: counters, index, of: 4 }], surroundings).follow(new AbortController().signal, { untilLive: true });
}
