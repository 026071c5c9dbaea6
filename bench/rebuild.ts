import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { z } from 'zod';
import { encodeChunk, featureRowsWritten } from '../src/domain/features/chunk.js';
import { encodeKey, partitionOf } from '../src/domain/features/keys.js';
import { featureRowsStream } from '../src/domain/features/streams.js';
import { defineEvent } from '../src/domain/kit/index.js';
import { connect } from '../src/platform/eventstore/index.js';
import { startOfLog, type EventStore } from '../src/platform/eventstore/port.js';
import { connectDataSource } from '../src/platform/postgres/data-source.js';
import { makePool } from '../src/platform/postgres/pool.js';
import { startPostgres } from '../src/platform/postgres/server.js';
import { defineView } from '../src/projections/engine/define.js';
import { ProjectionEngine } from '../src/projections/engine/index.js';
import { featureOnlineView } from '../src/projections/features/online/view.js';
import { startClient } from './eventstore/clients.js';
import { startNode } from './eventstore/servers.js';
import { inTurns, median, percentile, type BenchOptions, type Row } from './kit.js';

const partitions = 4;
const rowsOfChunk = 1000;
const entities = 100_000;

const counterRaised = defineEvent('CounterRaised', z.object({ counter: z.string(), by: z.int() }));
const counters = defineView({
  name: 'counters',
  version: 1,
  table: 'counters',
  row: z.object({ counter: z.string(), sum: z.int(), raisedAt: z.iso.datetime() }),
  key: ['counter'],
  events: [counterRaised],
  keyOf: ({ data }) => ({ counter: data.counter }),
  on: { CounterRaised: (row, { counter, by }, { recordedAt }) => ({ counter, sum: (row?.sum ?? 0) + by, raisedAt: recordedAt }) },
});

/** The projection engine on logs of feature rows and of small events, beside the rate at which the client reads the same logs. */
export async function rebuildBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const rows = Math.ceil(3_000_000 * scale);
  const small = Math.ceil(300_000 * scale);
  const features = await onLog((store) => writeRows(store, rows), log, async ({ store, engine }) =>
    inTurns(3, async () => rows / (await seconds(() => engine.rebuild('feature-online', () => undefined))), async () => rows / (await seconds(() => readParsed(store)))),
  );
  const events = await onLog((store) => writeCounters(store, small), log, async (bed) => {
    const client = startClient('subscribeFromStart', bed.url, small);
    await client.measure();
    const besideClient = (work: () => Promise<number>) => inTurns(3, async () => small / (await work()), () => client.measure());
    const rates = {
      live: await besideClient(() => bed.restart()),
      rebuild: await besideClient(() => seconds(() => bed.engine.rebuild('counters', () => undefined))),
      port: await besideClient(() => seconds(() => readAll(bed.store))),
    };
    await client.stop();
    return rates;
  });
  // Beside queries it takes its time, so its log is a shorter one.
  const beside = await onLog((store) => writeCounters(store, Math.ceil(small / 5)), log, besideQueries);
  const read = 'rows/s read and parsed, nothing done with them';
  const raw = 'events/s read by the client';
  return [
    { what: `rebuild of the online view, ${rows.toLocaleString('en')} rows of ${entities.toLocaleString('en')} entities`, measured: features.measured, unit: 'rows/s', limit: { what: read, measured: features.limit }, ratio: features.ratio, target: '500,000 rows/s', reached: features.measured >= 500_000 },
    { what: 'rebuild of a view of small events, a key for every ten', measured: events.rebuild.measured, unit: 'events/s', limit: { what: raw, measured: events.rebuild.limit }, ratio: events.rebuild.ratio, target: '0.9 of the read', reached: events.rebuild.ratio >= 0.9 },
    { what: 'live projection of small events, far behind', measured: events.live.measured, unit: 'events/s', limit: { what: raw, measured: events.live.limit }, ratio: events.live.ratio, target: '0.7 of the read', reached: events.live.ratio >= 0.7 },
    { what: 'reading small events through the port, which decodes them itself', measured: events.port.measured, unit: 'events/s', limit: { what: raw, measured: events.port.limit }, ratio: events.port.ratio, target: '', reached: true },
    beside,
  ];
}

const inFlight = 4;

/** How long a query takes while a view is rebuilt, all of it, beside how long it takes without, in turns: as many queries in both. */
async function besideQueries({ engine, reads }: Pick<Bed, 'engine' | 'reads'>): Promise<Row> {
  const [during, without]: [number[], number[]] = [[], []];
  const means = { during: [] as number[], without: [] as number[] };
  const took = { during: [] as number[], without: [] as number[] };
  await queriesFor(reads, 2_000);
  for (let round = 0; round < 3; round++) {
    took.without.push(await seconds(() => engine.rebuild('counters', () => undefined)));
    let rebuilding = true;
    const rebuilt = seconds(() => engine.rebuild('counters', () => undefined)).finally(() => (rebuilding = false));
    const [beside, rebuiltIn] = await Promise.all([queries(reads, () => rebuilding), rebuilt]);
    took.during.push(rebuiltIn);
    let left = beside.length;
    const alone = await queries(reads, () => left-- > 0);
    // One by one: they are more than a call takes arguments.
    for (const taken of beside) during.push(taken);
    for (const taken of alone) without.push(taken);
    means.during.push(mean(beside));
    means.without.push(mean(alone));
  }
  const ratio = median(means.without.map((value, round) => value / means.during[round]!));
  const p99 = [during, without].map((taken) => percentile(taken, 0.99).toPrecision(3));
  return {
    what: `a query while a view is rebuilt, mean of ${inFlight} at once (p99 ${p99[0]} ms, without ${p99[1]} ms; the rebuild takes ${median(took.during).toFixed(0)} s meanwhile, ${median(took.without).toFixed(1)} s alone)`, measured: median(means.during), unit: 'ms',
    limit: { what: 'ms without a rebuild', measured: median(means.without) }, ratio, target: 'at most 10 % slower', reached: ratio >= 1 / 1.1,
  };
}

/** Asks for one row after another, for as long as it is told to; gives the milliseconds of each. */
async function queries(reads: Pool, goOn: () => boolean): Promise<number[]> {
  const taken: number[] = [];
  const ask = async () => {
    while (goOn()) {
      const started = performance.now();
      await reads.query({ name: 'one counter', text: 'select sum from counters where counter = $1', values: [`c${taken.length % 100}`] });
      taken.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, ask));
  return taken;
}

/** Asks for so many milliseconds, to warm up. */
const queriesFor = (reads: Pool, milliseconds: number): Promise<number[]> => {
  const ends = performance.now() + milliseconds;
  return queries(reads, () => performance.now() < ends);
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Bed {
  readonly url: string;
  readonly store: EventStore;
  /** The pool of those who ask. */
  readonly reads: Pool;
  readonly engine: ProjectionEngine;
  /** Projects the whole log again through the live lane, and gives the seconds that took. */
  restart(): Promise<number>;
}

/** A log written beforehand, an empty database and an engine, for one measurement. */
async function onLog<Result>(write: (store: EventStore) => Promise<void>, log: (line: string) => void, measure: (bed: Bed) => Promise<Result>): Promise<Result> {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-bench-'));
  const node = await startNode();
  const postgres = await startPostgres({ dir: join(dir, 'postgres'), port: 0 });
  const store = connect(node.url);
  const [pool, reads] = [makePool(postgres.url), makePool(postgres.url)];
  const quiet = { debug: () => undefined, info: () => undefined, warn: (_: object, message: string) => log(message), error: (_: object, message: string) => log(message) };
  const views = [featureOnlineView, counters];
  const engineOf = () => new ProjectionEngine({ eventStore: store, pool, reads, views, log: quiet });
  try {
    await (await connectDataSource(postgres.url, [])).destroy();
    await pool.query('create table counters (counter text primary key, sum bigint not null, raised_at timestamptz not null)');
    log('  writing the log');
    await write(store);
    let engine = engineOf();
    await engine.start();
    const caughtUp = async () => engine.waitFor(views.map(({ name }) => name), await store.endOfLog(), { timeoutMs: 600_000 });
    await caughtUp();
    log('  measuring');
    return await measure({
      url: node.url,
      store,
      reads,
      get engine() {
        return engine;
      },
      async restart() {
        await engine.stop();
        await pool.query(`truncate counters; update projection_checkpoints set commit_position = 0, prepare_position = 0 where view = 'counters'`);
        engine = engineOf();
        return seconds(async () => {
          await engine.start();
          await caughtUp();
        });
      },
    }).finally(() => engine.stop());
  } finally {
    await Promise.all([pool.end(), reads.end()]);
    await store.close();
    await Promise.all([node.stop(), postgres.stop()]);
    await rm(dir, { recursive: true });
  }
}

async function writeRows(store: EventStore, rows: number): Promise<void> {
  const keys = Array.from({ length: entities }, (_, entity) => encodeKey([`e${entity}`]));
  const keysOf = Array.from({ length: partitions }, (): string[] => []);
  for (const key of keys) keysOf[partitionOf(key, partitions)]!.push(key);
  const cities = ['Berlin', 'Lagos', 'Lima', 'Osaka', 'Quito', 'Turin'];
  await inParallel(Math.ceil(rows / rowsOfChunk), async (chunk) => {
    const partition = chunk % partitions;
    const own = keysOf[partition]!;
    const first = Math.floor(chunk / partitions) * rowsOfChunk;
    const each = <Value>(value: (n: number) => Value) => Array.from({ length: rowsOfChunk }, (_, row) => value(first + row));
    const data = encodeChunk(
      { project: 'bench', group: 'rows', version: 1, partition, mode: 'BOTH' },
      {
        rows: rowsOfChunk,
        keys: each((n) => own[n % own.length]!),
        key: Array.from({ length: rowsOfChunk }, (_, row) => row),
        timeUs: each((n) => 1_700_000_000_000_000 + n * 1000),
        columns: new Map<string, (number | string | boolean)[]>([
          ['amount', each((n) => (n % 9973) / 7)], ['count', each((n) => n)], ['city', each((n) => cities[n % cities.length]!)], ['flag', each((n) => n % 3 === 0)],
        ]),
      },
    );
    await store.append(featureRowsStream('bench', 'rows', partition), [{ id: randomUUID(), type: featureRowsWritten.type, data, metadata: { version: 1 } }], { expected: 'any' });
  });
}

async function writeCounters(store: EventStore, events: number): Promise<void> {
  const together = 100;
  await inParallel(events / together, async (request) => {
    const written = Array.from({ length: together }, (_, n) => ({
      id: randomUUID(), type: counterRaised.type, data: { counter: `c${(request * together + n) % (events / 10)}`, by: n }, metadata: { version: 1, actor: 'key:bench' },
    }));
    await store.append(`counters-${request % 100}`, written, { expected: 'any' });
  });
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function readParsed(store: EventStore): Promise<void> {
  await readAll(store, (data) => data);
}

async function readAll(store: EventStore, look?: (data: unknown) => unknown): Promise<void> {
  const done = new AbortController();
  for await (const { events, live } of store.subscribe({ from: startOfLog, signal: done.signal })) {
    if (look) for (const { data } of events) look(data);
    if (live) break;
  }
  done.abort();
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
