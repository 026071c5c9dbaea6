import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineJob, Jobs, openJobBackend } from '../../src/platform/jobs/index.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { until } from '../support/until.js';
import { testApi, type TestApi } from './support/clients.js';
import { ownerKey, readerKey } from './support/memory-core.js';

const failing = defineJob({
  name: 'set-on-fire', summary: 'Fails', input: z.object({ what: z.string() }), retry: { attempts: 1, backoff: { type: 'fixed', delayMs: 1 } }, timeoutMs: 10_000, concurrency: 1,
  run: async () => Promise.reject(new Error('the disk is on fire')),
});
const html = { accept: 'text/html' };
let served: TestApi;
let database: TestDatabase;
let jobs: Jobs;
let rest: string;
const retried: unknown[] = [];
beforeAll(async () => {
  [served, database] = await Promise.all([testApi(), testDatabase()]);
  rest = served.api.addresses.rest;
  jobs = new Jobs({ backend: await openJobBackend({ postgresUrl: database.url, onError: () => undefined }), definitions: [failing], issue: async () => undefined, log: { info: () => undefined, warn: () => undefined } });
  await jobs.prepare();
  await jobs.work();
  await jobs.enqueue(failing, { what: 'the disk' }, { id: 'job-1' });
  await until('it has failed', async () => (await jobs.queue(failing.name).getFailedCount()) === 1);
  Object.assign(served.core.jobs, {
    openQueues: async () => [jobs.queue(failing.name)],
    retry: async (id: string, { caller }: any) => void retried.push([id, caller.actor]),
  });
  // A key that sees the jobs and may do nothing to them.
  const authenticate = served.core.authenticate.bind(served.core);
  Object.assign(served.core, { authenticate: async (key: string) => (key === 'watcher-key' ? { actor: 'key:watcher', may: (permission: string) => permission === 'jobs.read' } : authenticate(key)) });
});
afterAll(async () => {
  await served.close();
  await jobs.stop();
  await database.drop();
});

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') => fetch(`${rest}${path}`, { method, headers, redirect: 'manual' });
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
async function signIn(key: string) {
  return fetch(`${rest}/jobs/sign-in`, { method: 'POST', body: new URLSearchParams({ key }), headers: html, redirect: 'manual' });
}
const cookieOf = (answer: Response) => ({ cookie: answer.headers.get('set-cookie')!.split(';', 1)[0]! });
const queuesFor = async (headers: Record<string, string>) => (await (await ask('/jobs/api/queues?activeQueue=set-on-fire&status=failed&page=1', headers)).json()) as any;

test('a browser without a session is asked for a key, and gets nothing else: no page, no script, no data', async () => {
  for (const path of ['/jobs', '/jobs/', '/jobs/queue/set-on-fire', '/jobs/api/queues', '/jobs/static/favicon-32x32.png', '/jobs/sign-in']) {
    const answer = await ask(path, html);
    expect([path, answer.status]).toEqual([path, 401]);
    expect(await answer.text()).toContain('<form method="post" action="/jobs/sign-in">');
  }
  const program = await ask('/jobs/api/queues');
  expect([program.status, program.headers.get('content-type')]).toEqual([401, 'application/problem+json; charset=utf-8']);
});

test('whoever signs in gets a cookie that no script reads and no other site sends, and that does not hold the key', async () => {
  const answer = await signIn(ownerKey);
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/jobs']);
  const cookie = answer.headers.get('set-cookie')!;
  expect(cookie).toMatch(/^tarl_jobs=[\w-]{43}; Path=\/jobs; Max-Age=28800; HttpOnly; SameSite=Strict$/);
  expect(cookie).not.toContain(ownerKey);
  const shown = await ask('/jobs', { ...html, ...cookieOf(answer) });
  expect([shown.status, shown.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining("default-src 'self'")]);
  expect(await shown.text()).toContain('<base href="/jobs/"');
});

test('a key that is wrong, or may not see the jobs, signs nobody in', async () => {
  for (const [key, status] of [['nonsense', 401], ['', 401], [readerKey, 403]] as const) {
    const answer = await signIn(key);
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([status, null]);
  }
});

test('the dashboard shows the queues with what failed and why, and says nothing of where they are kept', async () => {
  const session = cookieOf(await signIn(ownerKey));
  const { queues: [queue] } = await queuesFor(session);
  expect(queue).toMatchObject({ name: 'set-on-fire', counts: { failed: 1 }, readOnlyMode: false });
  expect(queue.jobs[0]).toMatchObject({ id: 'job-1', data: { what: 'the disk' }, failedReason: 'the disk is on fire' });
  expect((await ask('/jobs/api/redis/stats', session)).status).toBe(403);
  const said = `${JSON.stringify(await queuesFor(session))} ${await (await ask('/jobs', session)).text()}`;
  for (const secret of [ownerKey, new URL(database.url).password, database.url]) if (secret !== '') expect(said).not.toContain(secret);
});

test('a key that may only look gets no buttons, and is refused where it presses one all the same', async () => {
  const session = cookieOf(await signIn('watcher-key'));
  expect((await queuesFor(session)).queues[0].readOnlyMode).toBe(true);
  for (const path of ['/jobs/api/queues/set-on-fire/job-1/retry', '/jobs/api/queues/set-on-fire/pause']) expect([path, (await ask(path, session, 'PUT')).status]).toEqual([path, 403]);
  expect(retried).toEqual([]);
});

test('a job is tried again by the command in the name of whoever pressed the button; what would make a queue another than the log says is refused', async () => {
  expect((await ask('/jobs/api/queues/set-on-fire/job-1/retry', bearer(ownerKey), 'PUT')).status).toBe(204);
  expect(await (await ask('/jobs/api/queues/set-on-fire/retry/failed', bearer(ownerKey), 'PUT')).json()).toEqual({ retried: 1, skipped: 0 });
  expect(retried).toEqual(Array(2).fill(['job-1', expect.stringMatching(/^key:/)]));
  for (const path of ['set-on-fire/job-1/clean', 'set-on-fire/obliterate', 'set-on-fire/empty', 'set-on-fire/add', 'set-on-fire/job-1/update-data']) {
    const answer = await ask(`/jobs/api/queues/${path}`, bearer(ownerKey), 'PUT');
    expect([path, answer.status, ((await answer.json()) as any).reason]).toEqual([path, 403, 'NOT_FROM_THE_DASHBOARD']);
  }
  expect((await ask('/jobs/api/queues/set-on-fire/pause', bearer(ownerKey), 'PUT')).status).toBe(200);
  expect(await jobs.queue(failing.name).isPaused()).toBe(true);
});

test('a session ends when its user signs out, and its cookie opens nothing any more', async () => {
  const session = cookieOf(await signIn(ownerKey));
  const out = await ask('/jobs/sign-out', { ...html, ...session });
  expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
  expect((await ask('/jobs', { ...html, ...session })).status).toBe(401);
});
