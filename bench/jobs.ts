import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { defineJob, Jobs, openJobBackend } from '../src/platform/jobs/index.js';
import { startPostgres } from '../src/platform/postgres/server.js';
import { median, type BenchOptions, type Row } from './kit.js';

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
  const measured = await jobsPerSecond({ postgresUrl: postgres.url }, count);
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
  return rowOf('jobs on Postgres, put in the queue and done', measured, 1_500);
}

async function onRedis(count: number): Promise<Row> {
  const { url, child } = await startRedis();
  const measured = await jobsPerSecond({ postgresUrl: '', redisUrl: url }, count);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return rowOf('jobs on Redis, put in the queue and done', measured, 8_000);
}

const rowOf = (what: string, measured: number, target: number): Row => ({ what, measured, unit: 'jobs/s', target: `${target.toLocaleString('en')} jobs/s`, reached: measured >= target });

async function jobsPerSecond(where: { postgresUrl: string; redisUrl?: string }, count: number): Promise<number> {
  let done = 0;
  let wanted = Infinity;
  let allDone = () => {};
  const job = defineJob({
    name: 'do-nothing',
    summary: 'For the bench',
    input: z.object({ n: z.int() }),
    retry: { attempts: 3, backoff: { type: 'exponential', delayMs: 1_000 } },
    timeoutMs: 30_000,
    concurrency: 32,
    run: async () => {
      if (++done === wanted) allDone();
    },
  });
  const backend = await openJobBackend({ ...where, connections: 12, onError: (error) => { throw error; } });
  const jobs = new Jobs({ backend, definitions: [job], issue: async () => undefined, log: silent });
  await jobs.prepare();
  await jobs.work();
  const round = async (size: number) => {
    [done, wanted] = [0, size];
    const ended = new Promise<void>((resolve) => (allDone = resolve));
    const started = performance.now();
    for (let n = 0; n < size; n += 500) await jobs.enqueueAll(job, Array.from({ length: Math.min(500, size - n) }, (_, at) => ({ input: { n: n + at } })));
    await ended;
    return (size / (performance.now() - started)) * 1000;
  };
  await round(Math.ceil(count / 10));
  const rates: number[] = [];
  for (let n = 0; n < ROUNDS; n++) rates.push(await round(Math.ceil(count / ROUNDS)));
  await jobs.stop();
  return median(rates);
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
