import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { jobStream } from '../../src/domain/jobs/state.js';
import { startPlatform, type Platform } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { connect } from '../../src/platform/eventstore/index.js';
import { formatPosition, type Position } from '../../src/platform/eventstore/port.js';
import { createLogger } from '../../src/platform/telemetry/logger.js';
import { testEventStore } from '../support/eventstore.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { until } from '../support/until.js';
import { callRest } from './support/clients.js';
import { ownerKey } from './support/memory-core.js';

let store: Awaited<ReturnType<typeof testEventStore>>;
let database: TestDatabase;
const started = new Map<string, Platform>();
beforeAll(async () => void ([store, database] = await Promise.all([testEventStore(), testDatabase()])));
afterAll(async () => {
  for (const platform of started.values()) await platform.close();
  await store.close();
  await database.drop();
});

async function start(roles: string): Promise<Platform> {
  const config = readConfig({ TARL_HTTP_PORT: '0', TARL_GRPC_PORT: '0', TARL_GRAPHQL_PORT: '0', TARL_ROLES: roles, TARL_MIN_POSITION_WAIT_MS: '10000', TARL_OPERATIONS_DAYS: '3' });
  const platform = await startPlatform(config, { eventstoreUrl: store.url, postgresUrl: database.url, localKey: ownerKey }, createLogger('silent'));
  started.set(roles, platform);
  return platform;
}
const get = (platform: Platform, path: string, headers = {}) => callRest(platform.addresses.rest, 'GET', path, undefined, headers);
/** Asks until the view holds what was written, on a slow machine more than once. */
const getAfter = (platform: Platform, path: string, position: string) =>
  until(`${path} is answered`, async () => {
    const answer = await get(platform, path, { 'tarl-min-position': position });
    return answer.reason !== 'VIEW_BEHIND' && answer;
  });
const createProject = (platform: Platform, project: string) => callRest(platform.addresses.rest, 'POST', '/api/v1/projects', { project, description: '' });

test('a process that only answers shows what another one projects, and waits for what its caller wrote', async () => {
  const api = await start('api');
  const { status, headers = {} } = await createProject(api, 'fraud');
  expect(status).toBe(200);
  const position = headers['tarl-position']!;
  expect(await get(api, '/api/v1/projects/fraud', { 'tarl-min-position': position })).toMatchObject({ status: 503, reason: 'VIEW_BEHIND' });

  await start('projector');
  expect(await getAfter(api, '/api/v1/projects/fraud', position)).toMatchObject({ status: 200 });
  for (const project of ['a', 'b', 'c']) {
    const { headers = {} } = await createProject(api, project);
    expect(await getAfter(api, `/api/v1/projects/${project}`, headers['tarl-position']!)).toMatchObject({ status: 200, answer: { project } });
  }
});

test('a process without wires has its health and its metrics, and nothing else', async () => {
  const projector = started.get('projector')!;
  expect(Object.keys(projector.addresses)).toEqual(['rest']);
  expect(await get(projector, '/health/live')).toMatchObject({ status: 200 });
  expect(await get(projector, '/health/ready')).toMatchObject({ status: 200, answer: { ready: true } });
  expect((await fetch(`${projector.addresses.rest}/metrics`, { headers: { authorization: `Bearer ${ownerKey}` } })).status).toBe(200);
  expect(await get(projector, '/api/v1/projects')).toMatchObject({ status: 404 });
});

test('a rebuild that is asked of a process which only answers is done by one that projects', async () => {
  const api = started.get('api')!;
  const { answer } = await callRest(api.addresses.rest, 'POST', '/api/v1/projections/projects:rebuild', {});
  await until('it is done', async () => (await get(api, `/api/v1/${(answer as { name: string }).name}`)).answer['done'] === true);
  expect((await get(api, '/api/v1/projects/a')).status).toBe(200);
});

/** Asks for a job as a command does. */
async function request(id: string, job: string): Promise<Position> {
  const eventStore = connect(store.url);
  const requested = { id, job, input: {}, notBefore: null };
  const { position } = await eventStore.append(jobStream(id), [{ id: randomUUID(), type: 'JobRequested', data: requested, metadata: { version: 1, actor: 'tester' } }], { expected: 'none' });
  await eventStore.close();
  return position;
}
const statusOfJob = async (id: string) => (await database.pool.query('select status from requested_jobs where id = $1', [id])).rows[0]?.status;

test('jobs and reactions run in a worker, and in no other process', async () => {
  const id = '019a0c1e-7d3c-7a0e-9c55-0b3c1a5d7e42';
  // Its schedule is daily, and hardly brings it meanwhile.
  const position = await request(id, 'remove-ended-operations');
  const statusOf = () => statusOfJob(id);
  expect(await getAfter(started.get('api')!, '/api/v1/projects/a', formatPosition(position))).toMatchObject({ status: 200 });
  await until('it is known', async () => (await statusOf()) === 'waiting');
  expect((await get(started.get('api')!, '/api/v1/jobs')).status).toBe(200);
  expect(await statusOf()).toBe('waiting');
  const reactions = async () => (await database.pool.query('select reaction from reaction_checkpoints')).rows;
  expect(await reactions()).toEqual([]);
  const worker = await start('worker');
  await until('it reacts', async () => (await reactions()).length > 0);
  await until('it has run', async () => (await statusOf()) === 'succeeded');
  const metricsOf = async ({ addresses }: Platform) => (await fetch(`${addresses.rest}/metrics`, { headers: { authorization: `Bearer ${ownerKey}` } })).text();
  const metrics = await metricsOf(worker);
  expect(metrics).toMatch(/^tarl_job_tries_total\{job="remove-ended-operations",outcome="succeeded"\} 1$/m);
  expect(metrics).toMatch(/^tarl_job_duration_seconds_count\{job="remove-ended-operations"\} 1$/m);
  expect(metrics).toMatch(/^tarl_jobs\{job="compare-projections",state="delayed"\} 1$/m);
  expect(await metricsOf(started.get('projector')!)).not.toContain('tarl_jobs{');
});

test('a worker forgets operations after as many days as its setting says', async () => {
  const put = (days: number) => database.pool.query(`insert into operations (id, kind, view, actor, state, updated_at) values ($1, 'rebuild', 'projects', 'key:me', 'done', now() - make_interval(days => $2))`, [randomUUID(), days]);
  await put(2);
  await put(4);
  const id = '019a0c1e-7d3c-7a0e-9c55-0b3c1a5d7e43';
  await request(id, 'remove-ended-operations');
  await until('it has run', async () => (await statusOfJob(id)) === 'succeeded');
  const { rows } = await database.pool.query(`select extract(day from now() - updated_at)::int as days from operations where updated_at < now() - interval '1 day'`);
  expect(rows).toEqual([{ days: 2 }]);
});
