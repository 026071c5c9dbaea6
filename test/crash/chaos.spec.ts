import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { jobStream } from '../../src/domain/jobs/state.js';
import { connect } from '../../src/platform/eventstore/index.js';
import type { EventStore, StoredEvent } from '../../src/platform/eventstore/port.js';
import { connectDataSource } from '../../src/platform/postgres/data-source.js';
import { makePool } from '../../src/platform/postgres/pool.js';
import { ProjectionEngine } from '../../src/projections/engine/index.js';
import { jobsView } from '../../src/projections/jobs/view.js';
import { countersView, foldOfLog } from '../projections/engine/counters.js';
import { createTables } from '../projections/engine/world.js';
import { randomFrom } from '../support/random.js';
import { Herd } from './chaos/herd.js';
import { startStores, type Stores } from './chaos/stores.js';

const runs = Number(process.env['TARL_CRASH_RUNS'] ?? 30);
const firstSeed = Number(process.env['TARL_CRASH_SEED'] ?? 1);
const counters = countersView();
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const patience_ms = 120_000;

let stores: Stores;
let eventStore: EventStore;
let pool: Pool;
/** Looks at the read models and projects nothing. */
let onlooker: ProjectionEngine;
let herd: Herd;
beforeAll(async () => {
  stores = await startStores();
  eventStore = connect(stores.eventStoreUrl);
  pool = makePool(stores.postgresUrl, {}, () => undefined);
  await (await connectDataSource(stores.postgresUrl, [])).destroy();
  await createTables({ pool }, counters);
  await pool.query('create table effects (n integer not null, key text not null)');
  onlooker = new ProjectionEngine({ eventStore, pool, views: [counters, jobsView], log: quiet, projects: false });
  await onlooker.start();
  herd = new Herd(stores);
  await herd.heal(2);
}, patience_ms);
afterAll(async () => {
  await herd.close();
  await onlooker.stop();
  await pool.end();
  await eventStore.close();
  await stores.close();
}, patience_ms);

/** Everything that may go wrong, by its name. */
const torments: Readonly<Record<string, (random: () => number) => Promise<unknown> | void>> = {
  'a process is killed': async (random) => {
    await herd.killOne(random());
    await herd.join();
  },
  'the event store is killed': () => stores.killEventStore(),
  'Postgres is killed': () => stores.killPostgres(),
  'a process cannot take some events': () => herd.join({ poisoned: true }),
  'a process is slow': (random) => herd.join({ slowMs: Math.floor(random() * 200) }),
  'all connections to the event store are cut': () => stores.cutConnections(),
  'a clock jumps': (random) => herd.setClock(random(), Math.floor((random() - 0.5) * 4_000)),
  'a view is cut into other slices': (random) => onlooker.split('counters', 1 + Math.floor(random() * 3)).catch(() => undefined),
};

let wanted = 0;

test.each(Array.from({ length: runs }, (_, run) => firstSeed + run))('whatever goes wrong, the views are a fold of the log, every effect took place and none is behind (TARL_CRASH_RUNS=1 TARL_CRASH_SEED=%i)', async (seed) => {
  const random = randomFrom(seed);
  const names = Object.keys(torments);
  const plan = Array.from({ length: 3 }, () => ({ name: names[Math.floor(random() * names.length)]!, after_ms: Math.floor(random() * 200) }));
  const writing = write(randomFrom(seed + 1_000_000));
  for (const { name, after_ms } of plan) {
    await pause(after_ms);
    await torments[name]!(random);
  }
  await writing;
  await herd.heal(2);
  const seen = await settled();
  expect({ plan, ...seen }).toEqual({ plan, ...(await expected()) });
}, 2 * patience_ms);

/** Raises counters and asks for effects, for as long as the torments take about; what fails is written again. */
async function write(random: () => number): Promise<void> {
  for (let n = 0; n < 40; n++) {
    const counter = `c${Math.floor(random() * 20)}`;
    const raises = Array.from({ length: 1 + Math.floor(random() * 5) }, () => ['CounterRaised', { counter, by: Math.floor(random() * 20) }] as const);
    await append(`counter-${counter}`, random() < 0.05 ? [['CounterRemoved', { counter }]] : raises);
    if (n % 10 === 0) await append(`wanted-${wanted}`, [['EffectWanted', { n: wanted++ }]]);
    await pause(random() * 10);
  }
}

async function append(stream: string, events: readonly (readonly [type: string, data: unknown])[]): Promise<void> {
  const written = events.map(([type, data]) => ({ id: randomUUID(), type, data, metadata: { version: 1, actor: 'chaos' } }));
  for (;;) {
    const done = await eventStore.append(stream, written, { expected: 'any' }).then(() => true, () => false);
    if (done) return;
    await pause(20);
  }
}

/** What is to be seen once everything is right, or what still is wrong when it never becomes so. */
async function settled() {
  const deadline = Date.now() + patience_ms;
  for (;;) {
    const seen = await look().catch((error: Error) => ({ error: error.message }));
    if (Date.now() > deadline || JSON.stringify(seen) === JSON.stringify(await expected())) return seen;
    await onlooker.retryParked('counters', {}).catch(() => undefined);
    await pause(50);
  }
}

async function look() {
  const { rows } = await pool.query('select counter, sum::int, events, latest from counters order by counter collate "C"');
  const effects = await pool.query('select distinct n, key from effects order by n');
  const ends = await Promise.all(effects.rows.flatMap(({ n }) => [typesOf(jobStream(`effect-${n}`)), typesOf(jobStream(`done-${n}`))]));
  const status = await onlooker.status();
  return {
    rows: Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row])),
    effects: effects.rows,
    ends,
    behind: status.filter(({ lagPositions, parkedKeys }) => lagPositions !== '0' || parkedKeys > 0).map(({ name }) => name),
  };
}

/** Each effect at least once, with one key, and its command once however often it was issued. */
async function expected(): ReturnType<typeof look> {
  const events: StoredEvent[] = [];
  for await (const event of eventStore.readLog()) events.push(event);
  const rows = foldOfLog(events.filter(({ type }) => type.startsWith('Counter')));
  return {
    rows: Object.fromEntries(Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1))) as never,
    effects: Array.from({ length: wanted }, (_, n) => ({ n, key: `effect-${n}` })),
    ends: Array.from({ length: wanted }, () => [['JobRequested', 'JobSucceeded'], ['JobRequested']]).flat(),
    behind: [],
  };
}

async function typesOf(stream: string): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of eventStore.readStream(stream)) types.push(type);
  return types;
}
