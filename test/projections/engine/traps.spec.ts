import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStore } from '../../../src/platform/eventstore/embedded/index.js';
import { connect } from '../../../src/platform/eventstore/index.js';
import { formatPosition, startOfLog } from '../../../src/platform/eventstore/port.js';
import { moveCheckpoints, putCheckpoint, readCheckpoints } from '../../../src/projections/engine/checkpoints.js';
import { CheckpointMoved } from '../../../src/projections/engine/failures.js';
import { Lane } from '../../../src/projections/engine/lane.js';
import { ParkedCounts } from '../../../src/projections/engine/parking/counts.js';
import { Rates } from '../../../src/projections/engine/rates.js';
import { defaultLimits } from '../../../src/projections/engine/rebuild-pace.js';
import { Reached } from '../../../src/projections/engine/reached.js';
import { SlowViews } from '../../../src/projections/engine/slow-views.js';
import { wholeView } from '../../../src/projections/engine/slices.js';
import type { View } from '../../../src/projections/kit/view.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

const counters = countersView();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let world: EngineWorld;
beforeEach(async () => void (world = await engineWorld([counters])));
afterEach(() => world.close());

const raise = (by: number, counter = 'a') => world.append(`counter-${counter}`, ['CounterRaised', { counter, by }]);
const rows = async () => {
  const { rows } = await world.database.pool.query('select counter, sum::int, events, latest from counters');
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
};
async function folded() {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return foldOfLog(events);
}

test('two writers that both believe to be the owner count every event once', async () => {
  await putCheckpoint(world.database.pool, counters, startOfLog);
  const stop = new AbortController();
  let clashes = 0;
  const believer = async () => {
    const { eventStore, database: { pool } } = world;
    const surroundings = { eventStore, pool, log: silent, reached: new Reached(), rates: new Rates(), parked: new ParkedCounts(pool), slowViews: new SlowViews(), limits: { ...defaultLimits, traffic: { flows: false, look: async () => undefined } } };
    while (!stop.signal.aborted) {
      try {
        await new Lane([wholeView(counters)], surroundings).follow(stop.signal);
      } catch (error) {
        if (!(error instanceof CheckpointMoved)) throw error;
        clashes++;
      }
    }
  };
  const believers = [believer(), believer()];
  let last = await raise(1);
  await until('they have clashed often', async () => {
    for (let by = 0; by < 10; by++) last = await raise(by, `c${by % 3}`);
    return clashes > 20;
  });
  const { position } = last;
  await until('all is projected', async () => (await readCheckpoints(world.database.pool)).get('counters')!.position.commit >= position.commit);
  stop.abort();
  await Promise.all(believers);
  expect(await rows()).toEqual(await folded());
});

test('where only other events come, the checkpoint is written as soon as another process waits for it', async () => {
  await putCheckpoint(world.database.pool, counters, startOfLog);
  const { eventStore, database: { pool } } = world;
  const reached = new Reached();
  const surroundings = { eventStore, pool, log: silent, reached, rates: new Rates(), parked: new ParkedCounts(pool), slowViews: new SlowViews(), limits: { ...defaultLimits, traffic: { flows: false, look: async () => undefined } } };
  const stop = new AbortController();
  const following = new Lane([wholeView(counters)], surroundings, 24 * 3600 * 1000).follow(stop.signal);
  await until('the lane has begun', () => reached.ownsAny);
  const { position } = await world.append('other-a', ['SomethingElse', {}]);
  await until('the owner knows', () => reached.holds(['counters'], position));
  const stored = async () => (await readCheckpoints(pool)).get('counters')!.position;
  expect(await stored()).toEqual(startOfLog);
  reached.hurry();
  await until('it is written', async () => (await stored()).commit === position.commit);
  stop.abort();
  await following;
});

test('a batch writes the checkpoints of the views that it has rows for; the others are written when it is time to, or somebody waits', async () => {
  const others = countersView({ name: 'others' });
  const unconcerned = { ...others, eventTypes: ['NothingOfTheKind'] };
  const { eventStore, database: { pool } } = world;
  for (const view of [counters, unconcerned]) await putCheckpoint(pool, view, startOfLog);
  const reached = new Reached();
  const surroundings = { eventStore, pool, log: silent, reached, rates: new Rates(), parked: new ParkedCounts(pool), slowViews: new SlowViews(), limits: { ...defaultLimits, traffic: { flows: false, look: async () => undefined } } };
  const stop = new AbortController();
  const following = new Lane([counters, unconcerned].map(wholeView), surroundings, 24 * 3600 * 1000).follow(stop.signal);
  await until('the lane has begun', () => reached.ownsAny);
  const stored = async () => [...(await readCheckpoints(pool)).values()].map(({ position }) => position.commit);
  const { position } = await world.append('counter-a', ['CounterRaised', { counter: 'a', by: 1 }]);
  await until('both are there', () => reached.holds(['counters', 'others'], position));
  expect(await stored()).toEqual([position.commit, 0n]);
  reached.hurry();
  await until('both are written', async () => (await stored()).every((commit) => commit === position.commit));
  const second = await world.append('counter-a', ['CounterRaised', { counter: 'a', by: 1 }]);
  await until('both are there again', () => reached.holds(['counters', 'others'], second.position));
  stop.abort();
  await following;
});

test('an owner hears of those who wait in other processes', async () => {
  const [owner, answering] = [world.engine([counters]), world.engine([counters], { projects: false })];
  await owner.start();
  await until('it owns', () => owner.isOwner);
  const client = await world.database.pool.connect();
  await client.query('listen tarl_position_wanted');
  const called = new Promise((resolve) => client.once('notification', resolve));
  const leaving = new AbortController();
  const waiting = answering.waitFor(['counters'], { commit: 1n << 60n, prepare: 1n << 60n }, { signal: leaving.signal });
  await called;
  leaving.abort(new Error('has heard enough'));
  await expect(waiting).rejects.toThrow('has heard enough');
  client.release(true);
});

test('a position survives the database whole, up to the last unsigned 64-bit number', async () => {
  const { pool } = world.database;
  const largest = 2n ** 64n - 1n;
  const client = await pool.connect();
  const from = { commit: largest - 1n, prepare: 2n ** 53n + 1n };
  const to = { commit: largest, prepare: 2n ** 63n + 1n };
  await putCheckpoint(client, counters, from);
  expect((await readCheckpoints(client)).get('counters')!.position).toEqual(from);
  const move = (prepare: bigint) => moveCheckpoints(client, [{ slice: wholeView(counters), from: { ...from, prepare }, to, parking: 0, eventsPerSecond: 0, events: 3 }]);
  expect(await move(2n ** 53n)).toBe(false);
  expect(await move(from.prepare)).toBe(true);
  const { position, slices } = (await readCheckpoints(client)).get('counters')!;
  expect({ position, events: slices.map(({ events }) => events) }).toEqual({ position: to, events: [3] });
  client.release();
});

test('the engine writes nothing into the log', async () => {
  const engine = world.engine([counters]);
  await engine.start();
  const { position } = await raise(1);
  await engine.waitFor(['counters'], position);
  await engine.rebuild('counters', () => undefined);
  for await (const last of world.eventStore.readLog({ direction: 'backwards', from: 'end', limit: 1 })) expect(last.position).toEqual(position);
});

test('a view that wants everything sees no event of the server itself', async () => {
  const seen: string[] = [];
  const all: View = { ...counters, eventTypes: 'all', keyOf: undefined, project: async (events) => void seen.push(...events.map(({ stream, type }) => `${stream} ${type}`)) };
  const engine = world.engine([all]);
  await engine.start();
  await raise(1);
  await world.eventStore.setStreamMetadata('counter-a', { maxCount: 100 });
  await world.eventStore.tombstoneStream('counter-b');
  await engine.waitFor(['counters'], (await raise(2)).position);
  expect(new Set(seen)).toEqual(new Set(['counter-a CounterRaised']));
});

test('a view that hangs does not hold up writing', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const slow: View = { ...counters, project: async (events, tx) => released.then(() => counters.project(events, tx)) };
  const engine = world.engine([slow]);
  await engine.start();
  let last = await raise(1);
  for (let by = 0; by < 1000; by++) last = await raise(by, `c${by % 10}`);
  expect(await rows()).toEqual({});
  release();
  await engine.waitFor(['counters'], last.position);
  expect(await rows()).toEqual(await folded());
});

test('what a failed batch had worked out is forgotten: the next try starts from the committed rows', async () => {
  let failures = 3;
  const flaky: View = {
    ...counters,
    project: async (events, tx) => {
      await counters.project(events, tx);
      if (failures-- > 0) throw new Error('after the rows were written');
    },
  };
  const engine = world.engine([flaky]);
  await engine.start();
  const { position } = await raise(5);
  await engine.waitFor(['counters'], position);
  expect(await rows()).toEqual({ a: { sum: 5, events: 1, latest: [5] } });
});

test('a view that stands still shows how far behind it is and for how long, in every process', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const stuck: View = { ...counters, project: (events, tx) => released.then(() => counters.project(events, tx)) };
  const [owner, observer] = [world.engine([stuck]), world.engine([stuck])];
  await owner.start();
  await raise(1);
  const { position } = await raise(2);
  for (const engine of [owner, observer]) {
    const seen = await until('the age grows', async () => (await engine.status()).find(({ name, lagMs }) => name === 'counters' && lagMs > 50));
    expect(JSON.parse(JSON.stringify(seen))).toMatchObject({ position: '0', lagPositions: `${position.commit}` });
  }
  release();
  await owner.waitFor(['counters'], position);
  expect((await owner.status())[0]).toMatchObject({ lagMs: 0, lagPositions: '0', state: 'live' });
});

test('projecting goes on after the event store was away', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-test-eventstore-'));
  let store = await startEventStore({ dir });
  const { port } = store;
  const eventStore = connect(store.connectionString);
  const engine = world.engine([counters], { eventStore });
  const append = async (by: number) =>
    (await eventStore.append('counter-a', [{ id: crypto.randomUUID(), type: 'CounterRaised', data: { counter: 'a', by }, metadata: { version: 1 } }], { expected: 'any' })).position;
  await engine.start();
  await engine.waitFor(['counters'], await append(1));
  await store.close();
  store = await startEventStore({ dir, port });
  const position = await until('writing works again', () => append(2).catch(() => undefined));
  await engine.waitFor(['counters'], position);
  expect((await rows())['a']!.sum).toBeGreaterThanOrEqual(3);
  await engine.stop();
  await eventStore.close();
  await store.close();
  await rm(dir, { recursive: true });
});

/** Each trap of event-sourced projections that the engine could fall into, and the test that would show it. */
const traps: readonly (readonly [trap: string, file: string, test: string])[] = [
  ['checkpoint before commit', 'crash/projections.spec.ts', 'a projector killed at any moment leaves rows that are a fold of the log up to its checkpoint'],
  ['duplicate delivery', 'projections/engine/traps.spec.ts', 'two writers that both believe to be the owner count every event once'],
  ['two nodes run one projection', 'crash/projections.spec.ts', 'several projectors that share a view, killed and joined at any moment'],
  ['two nodes run one projection: a lost lock', 'projections/engine/engine.spec.ts', 'stops when its lock is lost and goes on when it has it again'],
  ['cache written before commit', 'projections/engine/traps.spec.ts', 'what a failed batch had worked out is forgotten'],
  ['poisoned event', 'projections/engine/parking.spec.ts', 'parks its key: the other keys and the other views go on'],
  ['poisoned event in a slice', 'projections/engine/slices.spec.ts', 'holds up the later events of its stream in every slice'],
  ['subscription dies silently', 'projections/engine/traps.spec.ts', 'projecting goes on after the event store was away'],
  ['subscription dies silently: nobody sees it', 'projections/engine/traps.spec.ts', 'a view that stands still shows how far behind it is and for how long, in every process'],
  ['filtered $all', 'projections/engine/engine.spec.ts', 'a view reaches positions whose events it does not want, and its checkpoint is written also then'],
  ['filtered $all, in slices', 'projections/engine/slices.spec.ts', 'a slice that sees nothing of its own moves on all the same'],
  ['positions', 'projections/engine/traps.spec.ts', 'a position survives the database whole'],
  ['the clock in a projection', 'projections/engine/define.spec.ts', 'a handler never sees the clock'],
  ['rebuild crash midway', 'projections/engine/rebuild.spec.ts', 'that a killed process left half-built is cleared away at the next start'],
  ['rebuild re-fires side effects', 'commands/reactions.spec.ts', 'a rebuild of a read model issues no command'],
  ['read-your-writes under slices', 'projections/engine/slices.spec.ts', 'waiting for a position waits for the slowest slice'],
  ['own checkpoints in the log', 'projections/engine/traps.spec.ts', 'the engine writes nothing into the log'],
  ['own checkpoints in the log: system events', 'projections/engine/traps.spec.ts', 'a view that wants everything sees no event of the server itself'],
  ['tombstoned and truncated streams', 'projections/engine/rebuild.spec.ts', 'do not break a rebuild, and it gives what the log still holds'],
  ['a slow projection slows the writes', 'projections/engine/traps.spec.ts', 'a view that hangs does not hold up writing'],
];

test.each(traps)('the trap "%s" has its test, by its name', async (_trap, file, name) => {
  expect(await readFile(new URL(`../../${file}`, import.meta.url), 'utf8')).toMatch(new RegExp(`test(\\.each\\([^)]*\\))?\\(['\`]${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
});
