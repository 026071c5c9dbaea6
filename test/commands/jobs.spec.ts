import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { JobKeeper } from '../../src/commands/jobs/keeper.js';
import { Aggregates } from '../../src/commands/kit/aggregates.js';
import { CommandExecutor } from '../../src/commands/kit/execute.js';
import { RememberingCommandLog } from '../../src/commands/kit/idempotency.js';
import { jobStream } from '../../src/domain/jobs/state.js';
import { defineJob, Jobs, openJobBackend, type AnyJob, type JobRun } from '../../src/platform/jobs/index.js';
import type { ProjectionEngine } from '../../src/projections/engine/index.js';
import { jobsView } from '../../src/projections/jobs/view.js';
import { engineWorld, type EngineWorld } from '../projections/engine/world.js';
import { hasRedis, testRedis, type TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const tester = { caller: { actor: 'tester', may: () => true } };
let ran: string[];
let failing: boolean;
const input = z.object({ n: z.int() });
const count = (run: (input: { n: number }, run: JobRun) => Promise<void>) =>
  defineJob({ name: 'count', summary: 'For a test', input, retry: { attempts: 2, backoff: { type: 'fixed', delayMs: 1 } }, timeoutMs: 30_000, concurrency: 1, run });
const counting = count(async (_, { id }) => {
  ran.push(id);
  if (failing) throw new Error('the disk is on fire');
});
const nightly = defineJob({ ...counting, name: 'nightly', schedule: { cron: '0 3 * * *', timeZone: 'Europe/Vienna', input: { n: 0 } } });

describe.each([
  { name: 'Postgres', there: true },
  { name: 'Redis', there: hasRedis },
])('jobs in the log, queues on $name', ({ name, there }) => {
  if (!there) {
    test.skip(`no redis-server is installed here, so nothing is said of ${name}`, () => undefined);
    return;
  }
  let world: EngineWorld;
  let engine: ProjectionEngine;
  let redis: TestRedis | undefined;
  const keepers: JobKeeper[] = [];
  beforeEach(async () => {
    ran = [];
    failing = false;
    [world, redis] = await Promise.all([engineWorld([]), name === 'Redis' ? testRedis() : undefined]);
    engine = world.engine([jobsView]);
    await engine.start();
  });
  afterEach(async () => {
    await Promise.all(keepers.splice(0).map((keeper) => keeper.stop()));
    await world.close();
    await redis?.close();
  });

  function keeper(definitions: readonly AnyJob[] = [counting, nightly]): JobKeeper {
    const { eventStore, database } = world;
    const aggregates = new Aggregates(eventStore);
    const executor = new CommandExecutor(eventStore, aggregates, new RememberingCommandLog({ find: async () => undefined }));
    const made = new JobKeeper({
      eventStore,
      pool: database.pool,
      aggregates,
      definitions,
      execute: (...given) => executor.execute(...given),
      waitForView: (position, signal) => engine.waitFor(['jobs'], position, { signal }),
      open: async (parts) => new Jobs({ ...parts, backend: await openJobBackend({ postgresUrl: database.url, redisUrl: redis?.url, onError: () => undefined }), silenceMs: 5_000 }),
      log: { info: () => undefined, warn: () => undefined },
      lookEveryMs: 50,
    });
    keepers.push(made);
    return made;
  }
  const stopped = async (made: JobKeeper) => {
    keepers.splice(keepers.indexOf(made), 1);
    await made.stop();
  };

  async function typesOf(id: string): Promise<string[]> {
    const types: string[] = [];
    for await (const { type } of world.eventStore.readStream(jobStream(id))) types.push(type);
    return types;
  }
  const became = (id: string, type: string) => until(`${id} is ${type}`, async () => (await typesOf(id)).at(-1) === type);

  /** False where a worker's query and this waited for each other, and Postgres gave this up. */
  const dropQueues = () =>
    world.database.pool.query('drop schema bullmq cascade').then(
      () => true,
      (error: { code?: string }) => {
        if (error.code !== '40P01') throw error;
        return false;
      },
    );

  /** The queues are gone, as after a disk that broke. */
  async function loseQueues(): Promise<void> {
    if (!redis) return void (await until('the schema is dropped', dropQueues));
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  }

  test('a job that is asked for runs once, and the log says that it was asked for and that it has succeeded', async () => {
    const jobs = keeper();
    jobs.start();
    const { id } = await jobs.request(counting, { n: 1 }, tester);
    await became(id, 'JobSucceeded');
    await jobs.request(counting, { n: 1 }, tester, { id });
    expect(await typesOf(id)).toEqual(['JobRequested', 'JobSucceeded']);
    expect(ran).toEqual([id]);
  });

  test('a job that is given up is in the log with its reason, and runs again when somebody says so', async () => {
    failing = true;
    const jobs = keeper();
    jobs.start();
    const { id } = await jobs.request(counting, { n: 1 }, tester);
    await became(id, 'JobFailed');
    await until('the queue knows too', async () => (await (await jobs.queues()).queue('count').getFailedCount()) === 1);
    failing = false;
    await jobs.retry(id, tester);
    await became(id, 'JobSucceeded');
    expect(await typesOf(id)).toEqual(['JobRequested', 'JobFailed', 'JobRetried', 'JobSucceeded']);
    expect(ran).toEqual([id, id, id]);
  });

  test('what was asked for while no process worked is run by the next one', async () => {
    const { id } = await keeper().request(counting, { n: 1 }, tester);
    keeper().start();
    await became(id, 'JobSucceeded');
    expect(ran).toEqual([id]);
  });

  test('queues that are lost while the platform runs are made again from the log: what waits and the schedules, and nothing that has ended', async () => {
    const jobs = keeper();
    jobs.start();
    const begun = Date.now();
    const { id: done } = await jobs.request(counting, { n: 1 }, tester);
    await became(done, 'JobSucceeded');
    const tookOne_ms = Date.now() - begun;
    failing = true;
    const { id: failed } = await jobs.request(counting, { n: 2 }, tester);
    await became(failed, 'JobFailed');
    failing = false;
    const { id: later } = await jobs.request(counting, { n: 3 }, tester, { notBefore: new Date(Date.now() + 3_600_000) });
    // Not before the queues are lost, however slow the machine is.
    const { id: soon } = await jobs.request(counting, { n: 4 }, tester, { notBefore: new Date(Date.now() + 4_000 + 5 * tookOne_ms) });
    const queue = (await jobs.queues()).queue('count');
    await until('both wait', async () => (await queue.getDelayedCount()) === 2);
    await loseQueues();
    await became(soon, 'JobSucceeded');
    expect(ran.filter((id) => id !== failed)).toEqual([done, soon]);
    expect((await queue.getDelayed()).map(({ id }) => id)).toEqual([later]);
    expect(await typesOf(failed)).toEqual(['JobRequested', 'JobFailed']);
    expect(await (await jobs.queues()).queue('nightly').getJobSchedulersCount()).toBe(1);
  });

  test('schedules are made again also where nothing else was lost', async () => {
    const jobs = keeper();
    jobs.start();
    const { id } = await jobs.request(counting, { n: 1 }, tester);
    await became(id, 'JobSucceeded');
    await loseQueues();
    const isThere = async () => (await (await jobs.queues()).queue('nightly').getJobSchedulersCount()) === 1;
    await until('the schedule is there again', () => isThere().catch(() => false));
    expect(ran).toEqual([id]);
  });

  test('queues that were lost while the platform was off are made again at its start', async () => {
    const before = keeper();
    before.start();
    const { id: done } = await before.request(counting, { n: 1 }, tester);
    await became(done, 'JobSucceeded');
    const { id: later } = await before.request(counting, { n: 2 }, tester, { notBefore: new Date(Date.now() + 1_000) });
    await stopped(before);
    await loseQueues();
    keeper().start();
    await became(later, 'JobSucceeded');
    expect(ran).toEqual([done, later]);
  });

  test('a job that was given up without a word in the log is given up there too', async () => {
    const silent = keeper();
    const { id } = await silent.request(counting, { n: 1 }, tester);
    const backend = await openJobBackend({ postgresUrl: world.database.url, redisUrl: redis?.url, onError: () => undefined });
    const mute = new Jobs({ backend, definitions: [count(async () => Promise.reject(new Error('the process died')))], issue: async () => undefined, log: { info: () => undefined, warn: () => undefined } });
    await mute.prepare();
    await mute.enqueue(counting, { n: 1 }, { id });
    await mute.work();
    await until('the queue has given it up', async () => (await mute.queue('count').getFailedCount()) === 1);
    await mute.stop();
    silent.start();
    await became(id, 'JobFailed');
    expect(ran).toEqual([]);
  });

  test('an input that its job does not take is given up with the reason, and holds up nothing', async () => {
    const older = count(async () => undefined);
    const { id: odd } = await keeper().request({ ...older, input: z.object({ m: z.string() }) } as never, { m: 'x' } as never, tester);
    const jobs = keeper();
    jobs.start();
    const { id } = await jobs.request(counting, { n: 1 }, tester);
    await became(id, 'JobSucceeded');
    await became(odd, 'JobFailed');
  });

  test('the command of a job takes effect once, however often the job is tried', async () => {
    let tries = 0;
    const asking = count(async ({ n }, { issue }) => {
      await issue({ ...requestOther } as never, { id: `other-${n}`, job: 'nobody', input: {} });
      if (++tries === 1) throw new Error('after the command');
    });
    const { requestJobCommand: requestOther } = await import('../../src/commands/jobs.js');
    const jobs = keeper([asking]);
    jobs.start();
    const { id } = await jobs.request(asking, { n: 1 }, tester);
    await became(id, 'JobSucceeded');
    expect(tries).toBe(2);
    expect(await typesOf('other-1')).toEqual(['JobRequested']);
  });
});
