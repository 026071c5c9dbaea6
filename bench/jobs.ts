import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { defineJob, Jobs, openJobBackend, type JobBackend } from '../src/platform/jobs/index.js';
import { startPostgres } from '../src/platform/postgres/server.js';
import { inTurns, type BenchOptions, type Row } from './kit.js';

const ROUNDS = 3;
const silent = { info: () => undefined, warn: () => undefined };

/** Jobs that do nothing, from the first one put in the queue to the last one done, on each backend. */
export async function jobsBench({ scale, log }: BenchOptions): Promise<Row[]> {
  const rows = [await onPostgres(Math.ceil(6_000 * scale))];
  if (spawnSync('redis-server', ['--version']).error) log('no redis-server is installed: the jobs on Redis are not measured');
  else rows.push(await onRedis(Math.ceil(20_000 * scale)));
  return rows;
}

async function onPostgres(count: number): Promise<Row> {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-bench-jobs-'));
  const postgres = await startPostgres({ dir, port: 0, log: () => undefined });
  const rates = await besideBare({ postgresUrl: postgres.url }, count);
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
  return rowOf('jobs on Postgres, put in the queue and done', rates, 1_500);
}

async function onRedis(count: number): Promise<Row> {
  const { url, child } = await startRedis();
  const rates = await besideBare({ postgresUrl: '', redisUrl: url }, count);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return rowOf('jobs on Redis, put in the queue and done', rates, 8_000);
}

type Rates = Awaited<ReturnType<typeof inTurns>>;
const rowOf = (what: string, { measured, limit, ratio }: Rates, target: number): Row => ({
  what, measured, unit: 'jobs/s', limit: { what: 'jobs/s by bare BullMQ', measured: limit }, ratio, target: `${target.toLocaleString('en')} jobs/s`, reached: measured >= target,
});

type Place = { readonly postgresUrl: string; readonly redisUrl?: string };
const concurrency = 32;
const together = 500;

/** TARL's jobs and BullMQ's own, on the same server over as many connections, in turns; both do nothing. */
async function besideBare(where: Place, count: number): Promise<Rates> {
  const backend = () => openJobBackend({ ...where, connections: 12, onError: (error) => { throw error; } });
  const [ours, bare] = [await oursOn(await backend()), await bareOn(await backend())];
  const size = Math.ceil(count / ROUNDS);
  for (const side of [ours, bare]) await side.perSecond(Math.ceil(size / 3));
  const rates = await inTurns(ROUNDS, () => ours.perSecond(size), () => bare.perSecond(size));
  await ours.stop();
  await bare.stop();
  return rates;
}

async function oursOn(backend: JobBackend) {
  const tally = new Tally();
  const job = defineJob({
    name: 'do-nothing',
    summary: 'For the bench',
    input: z.object({ n: z.int() }),
    retry: { attempts: 3, backoff: { type: 'exponential', delayMs: 1_000 } },
    timeoutMs: 30_000,
    concurrency,
    run: async () => tally.count(),
  });
  const jobs = new Jobs({ backend, definitions: [job], issue: async () => undefined, log: silent });
  await jobs.prepare();
  await jobs.work();
  return { perSecond: (size: number) => tally.perSecond(size, (first, many) => jobs.enqueueAll(job, Array.from({ length: many }, (_, n) => ({ input: { n: first + n } })))), stop: () => jobs.stop() };
}

async function bareOn(backend: JobBackend) {
  const tally = new Tally();
  const queue = backend.queue('bare', {});
  const worker = backend.worker('bare', async () => tally.count(), { concurrency });
  await worker.waitUntilReady();
  return {
    perSecond: (size: number) => tally.perSecond(size, (first, many) => queue.addBulk(Array.from({ length: many }, (_, n) => ({ name: 'bare', data: { n: first + n } })))),
    async stop() {
      await worker.close();
      await queue.close();
      await backend.close();
    },
  };
}

/** Counts what is done, and knows when it is all. */
class Tally {
  private left = 0;
  private allDone = () => {};

  count(): void {
    if (--this.left === 0) this.allDone();
  }

  async perSecond(size: number, enqueue: (first: number, many: number) => Promise<unknown>): Promise<number> {
    this.left = size;
    const ended = new Promise<void>((resolve) => (this.allDone = resolve));
    const started = performance.now();
    for (let first = 0; first < size; first += together) await enqueue(first, Math.min(together, size - first));
    await ended;
    return (size / (performance.now() - started)) * 1000;
  }
}

/** A Redis on a free port that writes each change to its file within a second, as one that is to keep jobs should. */
async function startRedis(): Promise<{ url: string; child: ChildProcess }> {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-bench-redis-'));
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const child = spawn('redis-server', ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir, '--save', '', '--appendonly', 'yes'], { stdio: ['ignore', 'pipe', 'inherit'] });
  for (let said = ''; !said.includes('Ready to accept connections'); ) said += String((await once(child.stdout, 'data'))[0]);
  child.stdout.resume();
  child.once('exit', () => void rm(dir, { recursive: true, force: true }));
  return { url: `redis://127.0.0.1:${port}`, child };
}
