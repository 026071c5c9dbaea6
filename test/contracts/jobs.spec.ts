import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { Refusal } from '../../src/domain/kit/index.js';
import { defineJob, Jobs, openJobBackend, type AnyJob, type JobDefinition, type JobRun, type RunningJob } from '../../src/platform/jobs/index.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { hasRedis, testRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let redis: TestRedis | undefined;
beforeAll(async () => {
  database = await testDatabase();
  redis = hasRedis ? await testRedis() : undefined;
});
afterAll(async () => {
  await redis?.close();
  await database.drop();
});

const input = z.object({ n: z.int() });
type Input = typeof input;
let made = 0;
/** A job of a queue of its own, so that no test meets another's jobs. */
const jobOf = (run: (input: { n: number }, run: JobRun) => Promise<void>, other: Partial<JobDefinition<string, Input>> = {}) =>
  defineJob({ name: `job-${++made}`, summary: 'For a test', input, retry: { attempts: 3, backoff: { type: 'fixed', delayMs: 1 } }, timeoutMs: 30_000, concurrency: 1, run, ...other });

describe.each([
  { name: 'Postgres', there: true, url: () => undefined },
  { name: 'Redis', there: hasRedis, url: () => redis!.url },
])('jobs on $name', ({ name, there, url }) => {
  if (!there) {
    test.skip(`no redis-server is installed here, so nothing is said of ${name}`, () => undefined);
    return;
  }
  const running: Jobs[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((jobs) => jobs.stop()));
  });

  /** A process's part in these jobs, as far as one process can play several. */
  async function open(definitions: readonly AnyJob[], parts: { silenceMs?: number; graceMs?: number; issue?: (jobId: string, command: string, input: unknown) => void; hear?: (run: RunningJob) => void; tried?: (outcome: string, seconds: number) => void } = {}): Promise<Jobs> {
    const backend = await openJobBackend({ postgresUrl: database.url, redisUrl: url(), onError: () => undefined });
    const jobs = new Jobs({
      backend,
      definitions,
      issue: async (_, run, command, given) => {
        parts.hear?.(run);
        parts.issue?.(run.id, command.name, given);
      },
      log: { info: () => undefined, warn: () => undefined },
      silenceMs: parts.silenceMs,
      graceMs: parts.graceMs,
      tried: (_, outcome, seconds) => parts.tried?.(outcome, seconds),
    });
    running.push(jobs);
    await jobs.prepare();
    return jobs;
  }
  const stateOf = async (jobs: Jobs, job: AnyJob, id: string) => (await jobs.queue(job.name).getJob(id))?.getState();

  test('a job that is put in its queue runs with its input, and its commands carry its id', async () => {
    const issued: unknown[] = [];
    const job = jobOf(async ({ n }, run) => void (await run.issue({ name: 'CreateProject' }, { n })));
    const jobs = await open([job], { issue: (...all) => issued.push(all) });
    const id = await jobs.enqueue(job, { n: 7 });
    expect(issued).toEqual([]);
    await jobs.work();
    await until('it has completed', async () => (await stateOf(jobs, job, id)) === 'completed');
    expect(issued).toEqual([[id, 'CreateProject', { n: 7 }]]);
  });

  test('a job goes on with the trace of whoever asked for it, over every try', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const seen: unknown[] = [];
    const job = jobOf(async (_, run) => {
      await run.issue({ name: 'CreateProject' }, {});
      if (run.attempt === 1) throw new Error('not yet');
    });
    const jobs = await open([job], { hear: ({ traceparent }) => seen.push(traceparent) });
    const traced = await jobs.enqueue(job, { n: 1 }, { traceparent: trace });
    await jobs.work();
    await until('it has completed', async () => (await stateOf(jobs, job, traced)) === 'completed');
    const untraced = await jobs.enqueue(job, { n: 2 });
    await until('the other has completed', async () => (await stateOf(jobs, job, untraced)) === 'completed');
    expect(seen).toEqual([trace, trace, undefined, undefined]);
  });

  test('of jobs that have ended about a thousand stay to be looked at', async () => {
    let ended = 0;
    const job = jobOf(async () => void ended++, { concurrency: 20 });
    const jobs = await open([job]);
    await jobs.enqueueAll(job, Array.from({ length: 1_300 }, (_, n) => ({ input: { n } })));
    await jobs.work();
    await until('all have ended', () => ended === 1_300);
    await until('the last is noted', async () => (await jobs.queue(job.name).getJobCountByTypes('active')) === 0);
    const kept = await jobs.queue(job.name).getCompletedCount();
    expect([kept >= 1_000, kept <= 1_200]).toEqual([true, true]);
  });

  test('an input that does not fit is refused before it is in the queue', async () => {
    const job = jobOf(async () => undefined);
    const jobs = await open([job]);
    await expect(jobs.enqueue(job, { n: 'seven' } as never)).rejects.toThrow(/expected number/);
    expect(await jobs.queue(job.name).getJobCountByTypes('wait', 'delayed', 'prioritized')).toBe(0);
  });

  test('a try that fails is followed by others until one succeeds, with the wait that doubles between them', async () => {
    const tries: number[] = [];
    const job = jobOf(async (_, { attempt }) => {
      tries.push(attempt);
      if (attempt < 3) throw new Error('not yet');
    }, { retry: { attempts: 5, backoff: { type: 'exponential', delayMs: 50 } } });
    const jobs = await open([job]);
    await jobs.work();
    const id = await jobs.enqueue(job, { n: 1 });
    await until('it has completed', async () => (await stateOf(jobs, job, id)) === 'completed');
    expect(tries).toEqual([1, 2, 3]);
    const { processedOn, timestamp } = (await jobs.queue(job.name).getJob(id))!;
    expect(processedOn! - timestamp).toBeGreaterThanOrEqual(50 + 100);
  });

  test('a job that never succeeds ends as failed with its reason, and one that is refused is not tried again', async () => {
    const tries: number[] = [];
    const job = jobOf(async ({ n }) => {
      tries.push(n);
      await delay(50);
      throw n === 1 ? new Error('the disk is on fire') : new Refusal('NOT_FOUND', 'There is no project p');
    });
    const told: { outcome: string; seconds: number }[] = [];
    const jobs = await open([job], { tried: (outcome, seconds) => told.push({ outcome, seconds }) });
    const begun = performance.now();
    await jobs.work();
    const broken = await jobs.enqueue(job, { n: 1 });
    const refused = await jobs.enqueue(job, { n: 2 });
    await until('both have failed', async () => (await stateOf(jobs, job, broken)) === 'failed' && (await stateOf(jobs, job, refused)) === 'failed');
    expect(tries.toSorted()).toEqual([1, 1, 1, 2]);
    // A try that comes again is told apart from those that were the last.
    expect(told.map(({ outcome }) => outcome).toSorted()).toEqual(['failed', 'failed', 'given_up', 'given_up']);
    const passed_s = (performance.now() - begun) / 1000;
    expect(told.filter(({ seconds }) => seconds < 0.04 || seconds > passed_s)).toEqual([]);
    expect((await jobs.queue(job.name).getJob(broken))!.failedReason).toBe('the disk is on fire');
    expect((await jobs.queue(job.name).getJob(refused))!.failedReason).toBe('There is no project p');
  });

  test('a try that takes too long is told so and counts as failed', async () => {
    const reasons: unknown[] = [];
    const job = jobOf(async (_, { signal }) => {
      await once(signal, 'abort');
      reasons.push((signal.reason as Error).name);
    }, { timeoutMs: 20, retry: { attempts: 2, backoff: { type: 'fixed', delayMs: 1 } } });
    const jobs = await open([job]);
    await jobs.work();
    const id = await jobs.enqueue(job, { n: 1 });
    await until('it has failed', async () => (await stateOf(jobs, job, id)) === 'failed');
    expect(reasons).toEqual(['JobTimedOut', 'JobTimedOut']);
    expect((await jobs.queue(job.name).getJob(id))!.failedReason).toMatch(/took longer than 20 ms/);
  });

  test('as many jobs run side by side as the definition says, and no more', async () => {
    let inside = 0;
    let most = 0;
    let ended = 0;
    const gate = Promise.withResolvers<void>();
    const job = jobOf(async () => {
      most = Math.max(most, ++inside);
      if (most === 3) gate.resolve();
      await gate.promise;
      // A fourth one would come in while these wait for their turn.
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      ended++;
    }, { concurrency: 3 });
    const jobs = await open([job]);
    await jobs.enqueueAll(job, Array.from({ length: 12 }, (_, n) => ({ input: { n } })));
    await jobs.work();
    await until('all have ended', () => ended === 12);
    expect(most).toBe(3);
  });

  test('jobs that go first overtake those that wait', async () => {
    const order: number[] = [];
    const job = jobOf(async ({ n }) => void order.push(n), { priority: 10 });
    const jobs = await open([job]);
    await jobs.enqueue(job, { n: 2 });
    await jobs.enqueue(job, { n: 3 });
    await jobs.enqueue(job, { n: 4 }, { priority: 20 });
    await jobs.enqueue(job, { n: 1 }, { priority: 1 });
    await jobs.work();
    await until('all have run', () => order.length === 4);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test('a job of an id that is there already is not put there again, not even when it has ended', async () => {
    const seen: number[] = [];
    const job = jobOf(async ({ n }) => void seen.push(n));
    const jobs = await open([job]);
    await jobs.enqueue(job, { n: 1 }, { id: 'the-one' });
    await jobs.enqueue(job, { n: 2 }, { id: 'the-one' });
    await jobs.work();
    await until('it has completed', async () => (await stateOf(jobs, job, 'the-one')) === 'completed');
    await jobs.enqueue(job, { n: 3 }, { id: 'the-one' });
    const last = await jobs.enqueue(job, { n: 4 });
    await until('the last has completed', async () => (await stateOf(jobs, job, last)) === 'completed');
    expect(seen).toEqual([1, 4]);
  });

  test('a delayed job waits for its time, and those behind it do not wait for it', async () => {
    const ran: { n: number; at: number }[] = [];
    const job = jobOf(async ({ n }) => void ran.push({ n, at: Date.now() }));
    const jobs = await open([job]);
    const asked = Date.now();
    await jobs.enqueue(job, { n: 1 }, { delayMs: 2_000 });
    await jobs.enqueue(job, { n: 2 });
    await jobs.work();
    await until('both have run', () => ran.length === 2);
    expect(ran.map(({ n }) => n)).toEqual([2, 1]);
    expect(ran[1]!.at - asked).toBeGreaterThanOrEqual(2_000);
  });

  test('a schedule brings its job by itself, again and again', async () => {
    const ids: string[] = [];
    const job = jobOf(async (_, { id }) => void ids.push(id), { schedule: { cron: '* * * * * *', timeZone: 'Europe/Vienna', input: { n: 1 } } });
    const jobs = await open([job]);
    await jobs.work();
    await until('it has come twice', () => ids.length >= 2);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('a schedule means the hour of its own time zone, also when the clocks change', async () => {
    const job = jobOf(async () => undefined, { schedule: { cron: '30 4 * * *', timeZone: 'America/New_York', input: { n: 1 } } });
    const jobs = await open([job]);
    const [schedule] = await jobs.queue(job.name).getJobSchedulers();
    const hour = new Intl.DateTimeFormat('en-GB', { timeZone: 'America/New_York', hour: '2-digit', minute: '2-digit' }).format(schedule!.next);
    expect(hour).toBe('04:30');
  });

  test('a schedule that is declared otherwise, or no longer, replaces the one that was there', async () => {
    const scheduled = jobOf(async () => undefined, { schedule: { cron: '0 0 1 1 *', timeZone: 'UTC', input: { n: 1 } } });
    await open([scheduled]);
    const later = { ...scheduled, schedule: { ...scheduled.schedule!, cron: '0 0 2 1 *' } };
    const changed = await open([later]);
    expect((await changed.queue(scheduled.name).getJobSchedulers()).map(({ pattern }) => pattern)).toEqual(['0 0 2 1 *']);
    const gone = await open([{ ...scheduled, schedule: undefined }]);
    expect(await gone.queue(scheduled.name).getJobSchedulers()).toEqual([]);
    expect(await gone.queue(scheduled.name).getDelayedCount()).toBe(0);
  });

  test('the job of a process that is killed in the middle of it is taken over by another process', async () => {
    const taken: { id: string; attempt: number }[] = [];
    const holdOn = defineJob({ ...jobOf(async (_, { id, attempt }) => void taken.push({ id, attempt })), name: 'hold-on' });
    const jobs = await open([holdOn], { silenceMs: 3_000 });
    const id = await jobs.enqueue(holdOn, { n: 1 });
    const child = spawn(resolve('node_modules/node/bin/node'), ['test/support/job-worker.mjs', database.url, ...(url() ? [url()!] : [])], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [begun] = (await once(child.stdout, 'data')) as [Buffer];
    expect(begun.toString().trim()).toBe(id);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await jobs.work();
    await until('the job has been taken over', async () => (await stateOf(jobs, holdOn, id)) === 'completed');
    expect(taken.map((run) => run.id)).toEqual([id]);
  });

  test('a stop lets a job under way end, and takes no other', async () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const ended: number[] = [];
    const job = jobOf(async ({ n }) => {
      begun.resolve();
      await goOn.promise;
      ended.push(n);
    });
    const jobs = await open([job]);
    await jobs.enqueue(job, { n: 1 });
    const second = await jobs.enqueue(job, { n: 2 });
    await jobs.work();
    await begun.promise;
    const stopped = running.pop()!.stop();
    goOn.resolve();
    await stopped;
    expect(ended).toEqual([1]);
    expect(await stateOf(await open([job]), job, second)).toBe('waiting');
  });

  test('a job that would hold up a stop goes back into its queue and is tried by the next process, without counting as failed', async () => {
    const begun = Promise.withResolvers<void>();
    const attempts: number[] = [];
    const job = jobOf(async (_, { attempt, signal }) => {
      attempts.push(attempt);
      begun.resolve();
      if (attempts.length === 1) await once(signal, 'abort');
    }, { retry: { attempts: 1, backoff: { type: 'fixed', delayMs: 1 } } });
    const told: string[] = [];
    const jobs = await open([job], { graceMs: 1, tried: (outcome) => told.push(outcome) });
    const id = await jobs.enqueue(job, { n: 1 });
    await jobs.work();
    await begun.promise;
    await running.pop()!.stop();
    expect(told).toEqual([]);
    const next = await open([job]);
    await next.work();
    await until('it has completed', async () => (await stateOf(next, job, id)) === 'completed');
    expect(attempts).toEqual([1, 1]);
  });
});

test('a job whose input would hold a secret, or whose time zone there is not, cannot be declared', () => {
  const other = { name: 'call-out', summary: 'For a test', retry: { attempts: 1, backoff: { type: 'fixed', delayMs: 1 } }, timeoutMs: 1, concurrency: 1, run: async () => undefined } as const;
  expect(() => defineJob({ ...other, input: z.object({ apiKey: z.string() }) })).toThrow(/never the secret/);
  expect(() => defineJob({ ...other, input, schedule: { cron: '* * * * *', timeZone: 'Mars/Olympus', input: { n: 1 } } })).toThrow(/time zone/);
  expect(() => defineJob({ ...other, name: 'CallOut', input })).toThrow(/kebab-case/);
});
