import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStore } from '../src/platform/eventstore/embedded/store/event-store.js';
import { connect } from '../src/platform/eventstore/index.js';
import { parsePosition } from '../src/platform/eventstore/port.js';
import { connectDataSource } from '../src/platform/postgres/data-source.js';
import { makePool } from '../src/platform/postgres/pool.js';
import { startPostgres } from '../src/platform/postgres/server.js';
import { ProjectionEngine } from '../src/projections/engine/index.js';
import { startNode } from './eventstore/servers.js';
import type { BenchOptions, Row } from './kit.js';
import { counterRaised, counters } from './support/counters.js';

const keys = 100_000;
const eventsPerBatch = 500;
const lookMs = 250;

/** What the engine has done up to a moment. */
interface Look {
  readonly events: number;
  readonly cpuUs: number;
}

/** Looks at the engine's progress, and the heap that it holds after a tenth of the log and after all of it, in bytes. */
interface Projected {
  readonly looks: readonly Look[];
  readonly heapBytes: readonly [early: number, late: number];
}

/** The live projection of one log from its start to 10 million events: an event shall cost at its end what it cost at 1 million, and memory stay as it was. */
export async function longLogBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const events = Math.max(100_000, 10_000_000 * scale);
  const folder = await mkdtemp(join(tmpdir(), 'tarl-bench-long-'));
  await fill(join(folder, 'log'), events);
  log('  projecting');
  const { looks, heapBytes } = await projected(folder, events);
  await rm(folder, { recursive: true, force: true });

  const [early, late] = [within(looks, events * 0.05, events * 0.15), within(looks, events * 0.9, events)];
  const [cost, before] = [costOf(late), costOf(early)];
  const [heldBefore, held] = heapBytes.map((bytes) => bytes / 1024 / 1024) as [number, number];
  const [at, from] = [`at ${millions(events)} events`, `at ${millions(events / 10)}`];
  return [
    { what: `processor time of the live projection an event, ${at}`, measured: cost, unit: 'µs', limit: { what: `µs ${from}`, measured: before }, ratio: before / cost, target: 'within 10 %', reached: before / cost >= 0.9 },
    { what: `heap of the projecting process after a collection, ${at}`, measured: held, unit: 'MiB', limit: { what: `MiB ${from}`, measured: heldBefore }, ratio: heldBefore / held, target: 'flat', reached: heldBefore / held >= 0.9 },
  ];
}

function heldNow(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const within = (looks: readonly Look[], from: number, to: number): readonly Look[] => looks.filter(({ events }) => events >= from && events <= to);

/** Microseconds an event between the first and the last look. */
function costOf(looks: readonly Look[]): number {
  const [first, last] = [looks[0]!, looks.at(-1)!];
  return (last.cpuUs - first.cpuUs) / (last.events - first.events);
}

/** Projects the whole log, and looks now and then how far that is. */
async function projected(folder: string, events: number): Promise<Projected> {
  const [node, postgres] = await Promise.all([startNode(join(folder, 'log')), startPostgres({ dir: join(folder, 'postgres'), port: 0 })]);
  const store = connect(node.url);
  const pool = makePool(postgres.socketUrl);
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (_: object, message: string) => process.stderr.write(`${message}\n`) };
  const engine = new ProjectionEngine({ eventStore: store, pool, views: [counters], log: silent });
  const looks: Look[] = [];
  let early: number | undefined;
  try {
    await (await connectDataSource(postgres.url, [])).destroy();
    await pool.query('create table counters (counter text primary key, sum bigint not null, events integer not null)');
    // The view stands at the log's start, so that it is followed from there and not built.
    await pool.query(`insert into projection_checkpoints (view, version, commit_position, prepare_position) values ('counters', 1, 0, 0)`);
    await engine.start();
    const end = await store.endOfLog();
    for (let isThere = false; !isThere; ) {
      isThere = await engine.waitFor(['counters'], end, { timeoutMs: lookMs }).then(() => true, () => false);
      const { commit } = parsePosition((await engine.status()).find(({ name }) => name === 'counters')!.position);
      const { user, system } = process.cpuUsage();
      const done = (Number(commit) / Number(end.commit)) * events;
      looks.push({ events: done, cpuUs: user + system });
      // Behind the part whose processor time counts.
      if (done > events * 0.15) early ??= heldNow();
    }
    return { looks, heapBytes: [early ?? NaN, heldNow()] };
  } finally {
    await engine.stop();
    await pool.end();
    await store.close();
    await Promise.all([node.stop(), postgres.stop()]);
  }
}

/** A log of small events, each of which raises one of the counters. */
async function fill(folder: string, events: number): Promise<void> {
  const store = await EventStore.open(folder);
  const type = Buffer.from(counterRaised.type);
  const metadata = Buffer.from(JSON.stringify({ version: 1, actor: 'key:bench' }));
  const batch = (n: number) =>
    new Promise<void>((resolve, reject) => {
      const proposed = Array.from({ length: eventsPerBatch }, (_, i) => {
        const event = n * eventsPerBatch + i;
        return { id: randomUUID(), type, isJson: true, metadata, data: Buffer.from(JSON.stringify({ counter: `c${(event * 7919) % keys}`, by: event % 100 })) };
      });
      store.append(`counter-${n % 1000}`, 'any', proposed, (_, failure) => (failure ? reject(failure) : resolve()));
    });
  for (let n = 0; n < events / eventsPerBatch; n += 16) await Promise.all(Array.from({ length: 16 }, (_, i) => batch(n + i)));
  await store.close();
}

const millions = (events: number): string => (events >= 1e6 ? `${+(events / 1e6).toFixed(1)} million` : events.toLocaleString('en'));
