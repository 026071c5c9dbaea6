import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '../src/platform/eventstore/index.js';
import { packageRoot } from '../src/platform/root.js';
import { writeHistory, type FlightColumns } from './historical-log.js';
import type { ReaderAnswer, ReaderQuestion } from './historical-reader.js';
import { median, type BenchOptions, type Row } from './kit.js';

const flights = join(packageRoot, 'node_modules/vega-datasets/data/flights-3m.parquet');
const rounds = 3;

/** A training set of 100,000 flights against the 3 million, beside DuckDB's ASOF JOIN of the same rows in memory. */
export async function historicalBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tarl-bench-historical-'));
  const store = fork(fileURLToPath(import.meta.resolve('../src/platform/eventstore/embedded/main.js')), ['--dir', folder, '--port', '0'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    const [{ port }] = (await once(store, 'message')) as [{ port: number }];
    const url = `esdb://127.0.0.1:${port}?tls=false`;
    const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
    const sizes = { history: Math.round(3_000_000 * scale), asked: Math.round(100_000 * scale) };
    await loadFlights(duckdb, sizes);
    await writeAll(url, await columnsOf(duckdb, 'history'), log);
    return await measure(url, duckdb, sizes, log);
  } finally {
    await ended(store);
    await rm(folder, { recursive: true });
  }
}

/** Flights by their airport of departure; each asked row is a flight half an hour later. */
async function loadFlights(duckdb: DuckDBConnection, { history, asked }: { history: number; asked: number }): Promise<void> {
  await duckdb.run(`create table history as
    select row_number() over () as place, origin as airport, epoch_us(date) as t, delay, distance from '${flights}' limit ${history}`);
  await duckdb.run(`create table asked as
    select place, airport, t + 1_800_000_000 as t, delay, distance from history order by hash(place) limit ${asked}`);
}

async function columnsOf(duckdb: DuckDBConnection, table: string): Promise<FlightColumns> {
  const answer = await duckdb.runAndReadAll(`select airport, t::double, delay::double, distance::double from ${table} order by place`);
  const [airport, timeUs, delay, distance] = answer.getColumnsJS();
  return { airport, timeUs, delay, distance } as unknown as FlightColumns;
}

async function writeAll(url: string, columns: FlightColumns, log: BenchOptions['log']): Promise<void> {
  const eventStore = connect(url);
  const begun = performance.now();
  await writeHistory(eventStore, columns);
  log(`  ${columns.airport.length} rows written in ${Math.round(performance.now() - begun)} ms`);
  await eventStore.close();
}

async function measure(url: string, duckdb: DuckDBConnection, sizes: { history: number; asked: number }, log: BenchOptions['log']): Promise<Row[]> {
  const asked = await columnsOf(duckdb, 'asked');
  const taken = { log: [] as number[], memory: [] as number[], asof: [] as number[], rssMiB: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const answer = await read({ url, airport: [...asked.airport], timeUs: Float64Array.from(asked.timeUs) });
    const asof = await timed(() => duckdb.runAndReadAll('select count(h.delay), sum(h.distance) from asked a asof left join history h on a.airport = h.airport and a.t >= h.t'));
    if (Number(asof.result.getRows()[0]![0]) !== answer.matched) throw new Error(`DuckDB matched ${asof.result.getRows()[0]![0]} rows, the replay ${answer.matched}`);
    taken.log.push(answer.fromLogMs / 1000);
    taken.memory.push(answer.fromMemoryMs / 1000);
    taken.rssMiB.push(answer.peakRssMiB);
    taken.asof.push(asof.ms / 1000);
    log(`  round ${round + 1}: replay ${Math.round(answer.fromLogMs)} ms, from memory ${Math.round(answer.fromMemoryMs)} ms, peak ${Math.round(answer.peakRssMiB)} MiB; DuckDB ${Math.round(asof.ms)} ms`);
  }
  const limit = { what: "s, DuckDB's ASOF JOIN of the same rows in memory", measured: median(taken.asof) };
  const what = `historical: ${sizes.asked.toLocaleString('en')} rows against ${sizes.history.toLocaleString('en')}`;
  const row = (name: string, seconds: number): Row => {
    const ratio = limit.measured / seconds;
    return { what: name, measured: seconds, unit: 's', limit, ratio, target: '5 s, within 3 times DuckDB', reached: seconds <= 5 && ratio >= 1 / 3 };
  };
  const rss = median(taken.rssMiB);
  return [
    row(`${what}, read from the log`, median(taken.log)),
    row(`${what}, chunks still in memory`, median(taken.memory)),
    { what: `${what}: peak memory of the process`, measured: rss, unit: 'MiB', target: 'under 1 GiB', reached: rss < 1024 },
  ];
}

/** A process of its own reads, so that its memory is that of the read alone. */
async function read(question: ReaderQuestion): Promise<ReaderAnswer> {
  const reader = fork(fileURLToPath(import.meta.resolve('./historical-reader.js')), { serialization: 'advanced' });
  try {
    const ready = once(reader, 'message');
    reader.send(question);
    const [answer] = (await Promise.race([ready, once(reader, 'exit').then(([code]) => Promise.reject(new Error(`The reader ended with ${code}`)))])) as [ReaderAnswer];
    return answer;
  } finally {
    await ended(reader);
  }
}

async function timed<Result>(run: () => Promise<Result>): Promise<{ result: Result; ms: number }> {
  const begun = performance.now();
  const result = await run();
  return { result, ms: performance.now() - begun };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { tableOf } = await import('./kit.js');
  console.log(tableOf(await historicalBench({ scale: Number(process.argv[2] ?? 1), log: (line) => console.error(line) })));
}
