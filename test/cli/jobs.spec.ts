import { expect, test } from '@jest/globals';
import { dataFolder, tarl, tarlUp } from '../support/tarl.js';
import { hasRedis, testRedis } from '../support/redis.js';

async function jobsOf(env: NodeJS.ProcessEnv): Promise<unknown> {
  const asked = tarl(['jobs', '--json'], { env });
  expect(await asked.ended).toBe(0);
  return JSON.parse(asked.output.out);
}

/** A platform is up when its wires answer; its schedules follow a moment later. */
async function showsItsSchedule(env: NodeJS.ProcessEnv): Promise<void> {
  const data = await dataFolder();
  const platform = await tarlUp(data.path, { env });
  try {
    expect(await jobsOf({ TARL_DATA_DIR: data.path })).toMatchObject({ jobs: expect.arrayContaining([expect.objectContaining({ name: 'clear-leftover-tables', schedule: '17 * * * * UTC' })]) });
  } finally {
    expect(await platform.stop()).toBe(0);
    await data.remove();
  }
}

test('a platform that has just started shows its jobs, kept in its own Postgres', () => showsItsSchedule({}));

const ifRedis = hasRedis ? test : test.skip;
ifRedis('a platform with TARL_REDIS_URL keeps its queues there', async () => {
  const redis = await testRedis();
  try {
    await showsItsSchedule({ TARL_REDIS_URL: redis.url });
  } finally {
    await redis.close();
  }
});

test('a platform whose Redis is away serves all the same, says so when asked for its jobs, and stops', async () => {
  const data = await dataFolder();
  const platform = await tarlUp(data.path, { env: { TARL_REDIS_URL: 'redis://127.0.0.1:1', TARL_LOG_LEVEL: 'fatal' } });
  const asked = tarl(['jobs'], { env: { TARL_DATA_DIR: data.path } });
  expect(await asked.ended).toBe(5);
  expect(asked.output.err).toContain('The queues of the jobs cannot be reached');
  const projects = tarl(['projects', 'list'], { env: { TARL_DATA_DIR: data.path } });
  expect(await projects.ended).toBe(0);
  expect(await platform.stop()).toBe(0);
  await data.remove();
});
