import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pool } from 'pg';
import { connect } from '../src/platform/eventstore/index.js';
import type { EventStore } from '../src/platform/eventstore/port.js';
import { connectDataSource } from '../src/platform/postgres/data-source.js';
import { makePool } from '../src/platform/postgres/pool.js';
import { startPostgres } from '../src/platform/postgres/server.js';
import { ProjectionEngine } from '../src/projections/engine/index.js';
import { chunksOf } from '../src/projections/features/chunks/index-of-chunks.js';
import { featureChunksView } from '../src/projections/features/chunks/view.js';
import { readAsOf } from '../src/projections/features/history/as-of.js';
import { sharedReplay } from '../src/projections/features/history/shared-replay.js';
import { startNode } from './eventstore/servers.js';
import { median, percentile, type BenchOptions, type Row } from './kit.js';
import { asked, baseUs, entityOf, groups, project, sqlOf, stepUs, writePast, type PastGroup } from './past-log.js';
import type { PastAnswer, PastQuestion } from './past-reader.js';

const rounds = 3;
const entitiesOfRead = 100;

/** Reads of the past on a log of 10 million rows in two groups: a training set of a million rows beside DuckDB, and the values of 100 entities at a moment. */
export async function pastBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const sizes = { history: Math.round(5_000_000 * scale), asked: Math.round(1_000_000 * scale), reads: Math.max(50, Math.round(500 * scale)) };
  const node = await startNode();
  try {
    const store = connect(node.url);
    try {
      const begun = performance.now();
      for (const group of groups) await writePast(store, group, sizes.history);
      log(`  ${(2 * sizes.history).toLocaleString('en')} rows written in ${Math.round(performance.now() - begun)} ms`);
      return [...(await trainingSet(node.url, sizes, log)), await valuesAtMoments(store, sizes, log)];
    } finally {
      await store.close();
    }
  } finally {
    await node.stop();
  }
}

interface Sizes {
  /** Rows of each group. */
  readonly history: number;
  readonly asked: number;
  readonly reads: number;
}

async function trainingSet(url: string, sizes: Sizes, log: BenchOptions['log']): Promise<Row[]> {
  const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
  for (const group of groups) await duckdb.run(`create table ${group.group} as ${sqlOf(group, sizes.history)}`);
  await duckdb.run(`create table asked as ${asked.sql(sizes.asked, sizes.history)}`);
  const taken = { log: [] as number[], memory: [] as number[], asof: [] as number[], rssMiB: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const answer = await readApart({ url, rows: sizes.asked, history: sizes.history });
    const asof = await asofJoin(duckdb);
    for (const { matched, sum } of answer.totals) {
      if (asof.matched !== matched || Math.abs(asof.sum - sum) > 1e-6 * Math.abs(asof.sum)) throw new Error(`DuckDB matched ${asof.matched} values, ${asof.sum} in all; the replay ${matched}, ${sum}`);
    }
    taken.log.push(answer.fromLogMs / 1000);
    taken.memory.push(answer.fromMemoryMs / 1000);
    taken.asof.push(asof.ms / 1000);
    taken.rssMiB.push(answer.peakRssMiB);
    log(`  round ${round + 1}: replay ${Math.round(answer.fromLogMs)} ms, from memory ${Math.round(answer.fromMemoryMs)} ms, peak ${Math.round(answer.peakRssMiB)} MiB; DuckDB ${Math.round(asof.ms)} ms`);
  }
  const what = `historical: ${sizes.asked.toLocaleString('en')} rows against ${(2 * sizes.history).toLocaleString('en')} in two groups`;
  const [limit, rss] = [median(taken.asof), median(taken.rssMiB)];
  const row = (name: string, seconds: number): Row => ({ what: name, measured: seconds, unit: 's', limit: { what: "s, DuckDB's ASOF JOIN of the same rows in memory", measured: limit }, ratio: limit / seconds, target: 'within 3 times DuckDB', reached: seconds <= 3 * limit });
  return [
    row(`${what}, read from the log`, median(taken.log)),
    row(`${what}, chunks still in memory`, median(taken.memory)),
    { what: `${what}: peak memory of the process`, measured: rss, unit: 'MiB', target: 'under 1.5 GiB', reached: rss < 1536 },
  ];
}

async function asofJoin(duckdb: DuckDBConnection): Promise<{ matched: number; sum: number; ms: number }> {
  const begun = performance.now();
  const answer = await duckdb.runAndReadAll(`select count(c.amount) + count(c.share) + count(s.amount) + count(s.share), sum(c.amount)::double + sum(c.share)::double + sum(s.amount)::double + sum(s.share)::double
    from asked a asof left join cards c on a.card = c.card and a.t >= c.t asof left join shops s on a.shop = s.shop and a.t >= s.t`);
  const [matched, sum] = answer.getRows()[0]!;
  return { matched: Number(matched), sum: Number(sum), ms: performance.now() - begun };
}

/** A process of its own reads, so that its memory is that of the read alone. */
async function readApart(question: PastQuestion): Promise<PastAnswer> {
  const reader = fork(fileURLToPath(import.meta.resolve('./past-reader.js')));
  const ended = once(reader, 'exit');
  const answered = once(reader, 'message');
  reader.send(question);
  const [answer] = (await Promise.race([answered, ended.then(([code]) => Promise.reject(new Error(`The reader ended with ${code}`)))])) as [PastAnswer];
  await ended;
  return answer;
}

/** The latencies of as-of reads, one after another, with the view that says which events to read. */
async function valuesAtMoments(store: EventStore, { history, reads }: Sizes, log: BenchOptions['log']): Promise<Row> {
  const latencies = await withChunks(store, log, async (pool) => {
    const replay = sharedReplay(store);
    const ask = async (read: number, of: PastGroup) => {
      const keys = new Map([[of.key, Array.from({ length: entitiesOfRead }, (_, n) => entityOf(read * 31 + n, of))]]);
      // Moments in the later half, so that every entity has been written by then.
      const atUs = baseUs + (Math.floor(history / 2) + ((read * 7907) % Math.floor(history / 2))) * stepUs;
      const begun = performance.now();
      const { features } = await readAsOf(replay, { project, features: [of.group], fullNames: false, entities: entitiesOfRead, keys, atUs, known: {} }, undefined, (...asked) => chunksOf(pool, ...asked));
      if (features.some(({ statuses }) => statuses.some((status) => status === 2 || status === 3))) throw new Error('An entity was not found at a moment at which it had values');
      return performance.now() - begun;
    };
    // Asked before of the other group, as by a process that has served for a while and holds nothing of this one.
    for (let read = 0; read < reads / 10; read++) await ask(read, groups[1]);
    const took: number[] = [];
    for (let read = 0; read < reads; read++) took.push(await ask(read, groups[0]));
    return took;
  });
  const p99 = percentile(latencies, 0.99);
  return { what: `as-of read of ${entitiesOfRead} entities from a log of ${(2 * history).toLocaleString('en')} rows, p99 (p50 ${median(latencies).toFixed(1)} ms)`, measured: p99, unit: 'ms', target: '50 ms', reached: p99 <= 50 };
}

async function withChunks<Result>(store: EventStore, log: BenchOptions['log'], run: (pool: Pool) => Promise<Result>): Promise<Result> {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-bench-past-'));
  const postgres = await startPostgres({ dir: join(dir, 'postgres'), port: 0 });
  const pool = makePool(postgres.url);
  const quiet = { debug: () => undefined, info: () => undefined, warn: (_: object, message: string) => log(message), error: (_: object, message: string) => log(message) };
  try {
    await (await connectDataSource(postgres.url, [])).destroy();
    const engine = new ProjectionEngine({ eventStore: store, pool, views: [featureChunksView], log: quiet });
    await engine.start();
    try {
      await engine.waitFor([featureChunksView.name], await store.endOfLog(), { timeoutMs: 600_000 });
      return await run(pool);
    } finally {
      await engine.stop();
    }
  } finally {
    await pool.end();
    await postgres.stop();
    await rm(dir, { recursive: true });
  }
}
