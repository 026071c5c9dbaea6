import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobsStatus } from '../../src/api/core.js';
import { Refusal } from '../../src/domain/kit/index.js';
import { runTarl } from '../cli/run.js';
import { testApi, type TestApi } from './support/clients.js';
import { ownerKey, readerKey } from './support/memory-core.js';

const jobs: JobsStatus = {
  jobs: [{ name: 'clear-leftover-tables', summary: 'Removes tables', waiting: 1, active: 0, delayed: 1, completed: 7, failed: 1, schedule: '17 * * * * UTC', next: '2026-01-01T00:17:00.000Z' }],
  failed: [{ id: 'repeat:clear-leftover-tables:1', job: 'clear-leftover-tables', reason: 'the disk is on fire', attempts: 3, failedAt: '2026-01-01T00:00:00.000Z' }],
  reactions: [{ name: 'describe-new', position: '100', error: 'cannot react' }],
};
let served: TestApi;
let home: string;
let retried: string[];
beforeAll(async () => {
  served = await testApi();
  Object.assign(served.core.jobs, {
    status: async () => jobs,
    retry: async (id: string) => {
      if (id !== jobs.failed[0]!.id) throw new Refusal('NOT_FOUND', `Job ${id} does not exist`, { reason: 'JOB_NOT_FOUND' });
      retried.push(id);
    },
  });
  home = await mkdtemp(join(tmpdir(), 'tarl-test-cli-'));
  await mkdir(join(home, 'tarl'));
  const { rest } = served.api.addresses;
  await writeFile(join(home, 'tarl/config.json'), JSON.stringify({ default: { rest, key: ownerKey }, reader: { rest, key: readerKey } }));
});
beforeEach(() => {
  retried = [];
});
afterAll(async () => {
  await served.close();
  await rm(home, { recursive: true });
});
const tarl = (...args: string[]) => runTarl(args, { env: { XDG_CONFIG_HOME: home, TARL_DATA_DIR: join(home, 'no-data') } });

test('tarl jobs shows every queue with its counts and schedule, what was given up and why, and the reactions', async () => {
  const { code, stdout } = await tarl('jobs');
  expect(code).toBe(0);
  const lines = stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(lines[0]).toEqual(['job', 'waiting', 'active', 'delayed', 'completed', 'failed', 'schedule', 'next']);
  expect(lines[1]!.slice(0, 6)).toEqual(['clear-leftover-tables', '1', '0', '1', '7', '1']);
  expect(stdout).toMatch(/^repeat:clear-leftover-tables:1 .* the disk is on fire$/m);
  expect(stdout).toMatch(/^describe-new +100 +cannot react$/m);
  expect(JSON.parse((await tarl('jobs', '--json')).stdout)).toEqual(jobs);
});

test('tarl jobs retry tries one again, also one whose id holds colons, and says when there is none', async () => {
  expect(await tarl('jobs', 'retry', 'repeat:clear-leftover-tables:1')).toMatchObject({ code: 0, stdout: 'repeat:clear-leftover-tables:1 is tried again.\n' });
  expect(retried).toEqual(['repeat:clear-leftover-tables:1']);
  expect(await tarl('jobs', 'retry', 'nobody')).toMatchObject({ code: 4, stderr: 'NOT_FOUND: Job nobody does not exist\n' });
});

test('a key without the permission sees no jobs and tries none again', async () => {
  for (const args of [['jobs'], ['jobs', 'retry', 'repeat:clear-leftover-tables:1']]) {
    expect(await tarl(...args, '--profile', 'reader')).toMatchObject({ code: 3, stderr: expect.stringContaining('PERMISSION_DENIED') });
  }
  expect(retried).toEqual([]);
});

test('queues that cannot be reached are unavailable, not a defect', async () => {
  const { status } = served.core.jobs;
  Object.assign(served.core.jobs, { status: async () => Promise.reject(Object.assign(new Error('Reached the max retries per request limit'), { name: 'MaxRetriesPerRequestError' })) });
  expect(await tarl('jobs')).toMatchObject({ code: 5, stderr: expect.stringContaining('The queues of the jobs cannot be reached') });
  Object.assign(served.core.jobs, { status });
});
