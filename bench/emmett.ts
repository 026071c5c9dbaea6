import { event, type Event } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore, postgreSQLRawBatchSQLProjection, rebuildPostgreSQLProjections, type PostgreSQLProjectionDefinition } from '@event-driven-io/emmett-postgresql';
import { SQL } from '@event-driven-io/dumbo';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../src/platform/eventstore/index.js';
import { connectDataSource } from '../src/platform/postgres/data-source.js';
import { makePool } from '../src/platform/postgres/pool.js';
import { startPostgres } from '../src/platform/postgres/server.js';
import { ProjectionEngine } from '../src/projections/engine/index.js';
import { startNode } from './eventstore/servers.js';
import { inTurns, type BenchOptions, type Row } from './kit.js';
import { counters, counterRaised } from './support/counters.js';

type CounterRaised = Event<'CounterRaised', { counter: string; by: number }>;

const together = 5;
const inFlight = 16;
const rounds = 3;
const batch = 1_000;
const eventsOfFill = 100;

/**
 * TARL beside Emmett, which keeps its events in Postgres: the same events in the same appends, the same row a counter, the
 * same Postgres, one run. TARL's log is its embedded node, durable, in a process of its own. Emmett rebuilds by its own
 * `rebuildPostgreSQLProjections` with its raw SQL projection, the fastest of its kinds (a Pongo document a counter takes
 * several times as long), in batches of 1,000 instead of its 100, which suits it better.
 */
export async function emmettBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const appends = Math.ceil(6_000 * scale);
  const fills = Math.ceil(1_000 * scale);
  const dir = await mkdtemp(join(tmpdir(), 'tarl-bench-emmett-'));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(dir, { recursive: true }));
  const postgres = await startPostgres({ dir, port: 0, log: () => undefined });
  opened.defer(() => postgres.stop());

  log('  appending');
  const appended = await beside(postgres.url, 'appends', async (tarl, emmett) => {
    const writing = (side: Side) => {
      let next = 0;
      return () => perSecond(appends, () => side.append(`counter-${next++}`, raises(next, together)));
    };
    return inTurns(rounds, writing(tarl), writing(emmett));
  });

  log('  rebuilding');
  const events = fills * eventsOfFill;
  const rebuilt = await beside(postgres.url, 'rebuild', async (tarl, emmett) => {
    // One after another: of events appended side by side Emmett's rebuild passes over some where a batch ends.
    for (let fill = 0; fill < fills; fill++) for (const side of [tarl, emmett]) await side.append(`counters-${fill}`, raises(fill * 37, eventsOfFill));
    await tarl.caughtUp();
    const rates = await inTurns(rounds, async () => events / (await seconds(tarl.rebuild)), async () => events / (await seconds(emmett.rebuild)));
    const [ours, theirs] = [await tarl.rows(), await emmett.rows()];
    if (ours !== theirs) throw new Error('The two did not build the same rows');
    return rates;
  });
  return [
    { what: `appends of ${together} events to streams of their own, ${inFlight} in flight, beside Emmett`, measured: appended.measured, unit: 'appends/s', limit: { what: '/s by Emmett on Postgres', measured: appended.limit }, ratio: appended.ratio, target: '', reached: true },
    { what: `rebuild of a row a counter, ${events.toLocaleString('en')} events, beside Emmett`, measured: rebuilt.measured, unit: 'events/s', limit: { what: '/s by Emmett on Postgres', measured: rebuilt.limit }, ratio: rebuilt.ratio, target: '3 times Emmett', reached: rebuilt.ratio >= 3 },
  ];
}

/** As many events from this one on; a counter has about ten of a thousand. */
const raises = (from: number, count: number) => Array.from({ length: count }, (_, n) => ({ counter: `c${(from + n) % 1_000}`, by: n }));
type Raises = ReturnType<typeof raises>;

type Side = { append(stream: string, raised: Raises): Promise<unknown>; stop(): Promise<void> };

/** Gives the work both sides, each empty and in a database of its own. */
async function beside<Result>(server: string, name: string, work: (tarl: Awaited<ReturnType<typeof startTarl>>, emmett: Awaited<ReturnType<typeof startEmmett>>) => Promise<Result>): Promise<Result> {
  await using opened = new AsyncDisposableStack();
  const tarl = await startTarl(await databaseOn(server, `tarl_${name}`));
  opened.defer(() => tarl.stop());
  const emmett = await startEmmett(await databaseOn(server, `emmett_${name}`));
  opened.defer(() => emmett.stop());
  return await work(tarl, emmett);
}

async function startTarl(postgresUrl: string) {
  const node = await startNode();
  const store = connect(node.url);
  const pool = makePool(postgresUrl);
  await (await connectDataSource(postgresUrl, [])).destroy();
  await pool.query('create table counters (counter text primary key, sum bigint not null, events integer not null)');
  const complain = (facts: object, message: string) => console.error(message, facts);
  const engine = new ProjectionEngine({ eventStore: store, pool, views: [counters], log: { debug: () => undefined, info: () => undefined, warn: complain, error: complain } });
  await engine.start();
  return {
    append: (stream: string, raised: Raises) => store.append(stream, raised.map((data) => ({ id: randomUUID(), type: counterRaised.type, data, metadata: { version: 1, actor: 'key:bench' } })), { expected: 'any' }),
    caughtUp: async () => engine.waitFor(['counters'], await store.endOfLog(), { timeoutMs: 600_000 }),
    rebuild: () => engine.rebuild('counters', () => undefined),
    rows: async (): Promise<string> => (await pool.query(`select string_agg(counter || ' ' || sum || ' ' || events, ', ' order by counter) as text from counters`)).rows[0].text,
    async stop() {
      await engine.stop();
      await pool.end();
      await store.close();
      await node.stop();
    },
  };
}

const rows = postgreSQLRawBatchSQLProjection<CounterRaised>({
  name: 'counter-rows',
  canHandle: ['CounterRaised'],
  init: () => SQL`create table if not exists counter_rows (counter text primary key, sum bigint not null, events integer not null)`,
  evolve: (events) =>
    events.map(({ data }) => SQL`
      insert into counter_rows as held (counter, sum, events) values (${data.counter}, ${data.by}, 1)
      on conflict (counter) do update set sum = held.sum + excluded.sum, events = held.events + 1`),
}) as unknown as PostgreSQLProjectionDefinition;

async function startEmmett(connectionString: string) {
  const store = getPostgreSQLEventStore(connectionString);
  await store.schema.migrate();
  const pool = makePool(connectionString);
  return {
    append: (stream: string, raised: Raises) => store.appendToStream<CounterRaised>(stream, raised.map((data) => event<CounterRaised>('CounterRaised', data))),
    async rebuild() {
      // It goes on where the rebuild before it ended, and adds to the rows that are there.
      await pool.query('delete from emt_processors');
      await pool.query('drop table if exists counter_rows');
      const consumer = rebuildPostgreSQLProjections({ connectionString, projections: [rows], pulling: { batchSize: batch } });
      await consumer.start();
      await consumer.close();
    },
    rows: async (): Promise<string> => (await pool.query(`select string_agg(counter || ' ' || sum || ' ' || events, ', ' order by counter) as text from counter_rows`)).rows[0].text,
    async stop() {
      await store.close();
      await pool.end();
    },
  };
}

async function databaseOn(url: string, name: string): Promise<string> {
  const pool = makePool(url);
  await pool.query(`create database ${name}`);
  await pool.end();
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

async function perSecond(count: number, one: () => Promise<unknown>): Promise<number> {
  let next = 0;
  const worker = async () => {
    while (next++ < count) await one();
  };
  const taken = await seconds(() => Promise.all(Array.from({ length: inFlight }, worker)));
  return count / taken;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
