import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { comparePositions, type StoredEvent } from '../../src/platform/eventstore/port.js';
import { sliceOfKey } from '../../src/projections/engine/slices.js';
import { countersView, foldOfLog } from '../projections/engine/counters.js';
import { randomFrom } from '../support/random.js';
import { until } from '../support/until.js';
import { engineWorld, type EngineWorld } from '../projections/engine/world.js';

const projector = fileURLToPath(new URL('../support/projector.mjs', import.meta.url));
const runs = Number(process.env['TARL_CRASH_RUNS'] ?? 20);
const seed = Number(process.env['TARL_CRASH_SEED'] ?? 1);

const counters = countersView();
let world: EngineWorld;
beforeEach(async () => void (world = await engineWorld([counters])));
afterEach(async () => {
  await Promise.all([...alive].map(kill));
  await world.close();
});

test(`a projector killed at any moment leaves rows that are a fold of the log up to its checkpoint (seed ${seed})`, async () => {
  const random = randomFrom(seed);
  const writer = startWriter(random);
  for (let run = 0; run < runs; run++) {
    const child = await startProjector(run % 3 === 2 ? 'rebuild' : 'project');
    await delay(random() * 120);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect({ run, ...(await stored()) }).toEqual({ run, ...(await folded()) });
  }
  const last = await writer.stop();

  const engine = world.engine([counters]);
  await engine.start();
  await engine.waitFor(['counters'], last);
  expect((await stored()).rows).toEqual(foldOfLog(await log()));
  const { rows } = await world.database.pool.query(`select tablename from pg_tables where tablename like 'counters%' and tablename <> 'counters__former'`);
  expect(rows).toEqual([{ tablename: 'counters' }]);
}, 240_000 + runs * 15_000);

test(`killed at any moment while keys are parked and taken up again, a projector loses no event, doubles none and keeps their order (seed ${seed})`, async () => {
  const random = randomFrom(seed + 1);
  const writer = startWriter(random);
  const tasks = ['poisoned-project', 'project', 'poisoned-rebuild', 'poisoned-project', 'project', 'rebuild'];
  let parkedOnce = 0;
  for (let run = 0; run < runs; run++) {
    const child = await startProjector(tasks[run % tasks.length]!);
    if (run % tasks.length === 0) await until('a key is parked', async () => (await parkedPlaces()).size > 0);
    await delay(random() * 400);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { rows } = await stored();
    const waiting = await parkedPlaces();
    parkedOnce += waiting.size;
    expect({ run, rows }).toEqual({ run, rows: await foldedBefore(waiting) });
  }
  expect(parkedOnce).toBeGreaterThan(0);
  const last = await writer.stop();

  const engine = world.engine([counters]);
  await engine.start();
  await engine.waitFor(['counters'], last);
  await engine.retryParked('counters', {});
  expect(await engine.parked()).toEqual([]);
  expect((await stored()).rows).toEqual(foldOfLog(await log()));
}, 240_000 + runs * 15_000);

test(`several projectors that share a view, killed and joined at any moment while its slices change, leave in each slice the fold of its keys up to its checkpoint (seed ${seed})`, async () => {
  const random = randomFrom(seed + 2);
  const writer = startWriter(random);
  const children = [await startProjector('share'), await startProjector('share'), await startProjector('share')];
  const operator = world.engine([counters], { projects: false });
  await until('the view is there', async () => (await operator.status())[0]!.slices[0]!.owner !== undefined);
  for (let run = 0; run < runs; run++) {
    const action = random();
    if (action < 0.4) await kill(children.splice(Math.floor(random() * children.length), 1)[0]!);
    if (action > 0.6) await operator.split('counters', 1 + Math.floor(random() * 8));
    if (children.length < 1 + Math.floor(random() * 3)) children.push(await startProjector('share'));
    await delay(random() * 700);
    expect({ run, ...(await storedBySlice()) }).toEqual({ run, ...(await foldedBySlice()) });
  }
  const last = await writer.stop();
  if (children.length === 0) children.push(await startProjector('share'));
  await operator.waitFor(['counters', 'command-log'], last);
  expect((await storedBySlice()).rows).toEqual(foldOfLog(await log()));
  const { slices } = (await operator.status())[0]!;
  expect(slices.every(({ owner }) => owner !== undefined)).toBe(true);
}, 240_000 + runs * 15_000);

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** The rows and the checkpoints of all slices, as one snapshot. */
async function storedBySlice() {
  const { rows: [found] } = await world.database.pool.query(`
    select (select jsonb_agg(commit_position::text order by slice) from projection_checkpoints where view = 'counters') as places,
           (select jsonb_object_agg(counter, jsonb_build_object('sum', sum, 'events', events, 'latest', latest)) from counters) as rows`);
  places = found.places.map(BigInt);
  seenStored = places.reduce((least, place) => (place < least ? place : least));
  return { slices: places.length, rows: found.rows ?? {} };
}
let places: bigint[] = [];

async function foldedBySlice() {
  const events = await log();
  return { slices: places.length, rows: foldOfLog(events.filter((event) => event.position.commit <= places[sliceOfKey(counterOf(event), places.length)]!)) };
}

/** The positions of the events that wait, by their counters. */
async function parkedPlaces(): Promise<Map<string, string[]>> {
  const { rows } = await world.database.pool.query(`
    select key, array_agg(commit_position::text order by commit_position) as places from projection_parked_events where not shadow group by key`);
  return new Map(rows.map(({ key, places }) => [key, places]));
}

/** The rows that the events up to the checkpoint give, when the last ones of each counter are those that wait. */
async function foldedBefore(waiting: ReadonlyMap<string, readonly string[]>) {
  const events = (await log()).filter(({ position }) => position.commit <= checkpoint);
  const taken: StoredEvent[] = [];
  for (const counter of new Set(events.map(counterOf))) {
    const own = events.filter((event) => counterOf(event) === counter);
    const places = waiting.get(counter) ?? [];
    expect({ counter, places }).toEqual({ counter, places: own.slice(own.length - places.length).map(({ position }) => `${position.commit}`) });
    taken.push(...own.slice(0, own.length - places.length));
  }
  return foldOfLog(taken);
}

const counterOf = ({ data }: StoredEvent): string => (data as { counter: string }).counter;

const alive = new Set<ChildProcess>();

async function startProjector(task: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [projector, world.eventStoreUrl, world.database.url, task], { stdio: ['ignore', 'pipe', 'inherit'] });
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error('The projector ended by itself')))]);
  return child;
}

/** As many events the writer is ahead of what the last look saw stored: a machine that is slow for its writers would never catch up. */
const longestLead = 2_000n;
let seenStored = 0n;

function startWriter(random: () => number) {
  let stopped = false;
  seenStored = 0n;
  const written = (async () => {
    for (;;) {
      const counter = `c${Math.floor(random() * 20)}`;
      const events = Array.from({ length: 1 + Math.floor(random() * 5) }, () => ['CounterRaised', { counter, by: Math.floor(random() * 100) }] as const);
      const { position } = await world.append(`counter-${counter}`, ...(random() < 0.02 ? [['CounterRemoved', { counter }] as const] : events));
      while (!stopped && position.commit > seenStored + longestLead) await delay(5);
      if (stopped) return position;
    }
  })();
  return { stop: () => ((stopped = true), written) };
}

/** Rows and checkpoint as one snapshot. */
async function stored() {
  const { rows: [found] } = await world.database.pool.query(`
    select (select commit_position::text from projection_checkpoints where view = 'counters') as commit,
           (select jsonb_object_agg(counter, jsonb_build_object('sum', sum, 'events', events, 'latest', latest)) from counters) as rows`);
  seenStored = checkpoint = BigInt(found.commit ?? 0);
  return { rows: found.rows ?? {} };
}
let checkpoint = 0n;

async function folded() {
  return { rows: foldOfLog((await log()).filter(({ position }) => comparePositions(position, { commit: checkpoint, prepare: checkpoint }) <= 0)) };
}

async function log(): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return events;
}
