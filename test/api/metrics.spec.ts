import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProtos } from '../../src/api/grpc/protos.js';
import type { MetricsEvent } from '../../src/domain/metrics/events.js';
import { jobStream } from '../../src/domain/jobs/state.js';
import { metricsStream } from '../../src/domain/metrics/state.js';
import { startPlatform, type Platform } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { connect } from '../../src/platform/eventstore/index.js';
import { formatPosition, type EventStore } from '../../src/platform/eventstore/port.js';
import { createLogger } from '../../src/platform/telemetry/logger.js';
import { runTarl } from '../cli/run.js';
import { testEventStore } from '../support/eventstore.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { until } from '../support/until.js';
import { callGraphql, callGrpc, callRest } from './support/clients.js';
import { ownerKey, readerKey } from './support/memory-core.js';

let store: Awaited<ReturnType<typeof testEventStore>>;
let database: TestDatabase;
let eventStore: EventStore;
let platform: Platform;
let position: string;

/** Lags of the view `projects` at 13:00, 14:00 and 15:00. */
const lags = { '13': 5, '14': 6100, '15': 7 };
const checkpointAt = (hour: string, lagMs: number): MetricsEvent['data'] => ({
  tick: `2026-01-01T${hour}:00:00.000Z`,
  endOfLog: '100',
  views: ['projects', 'jobs'].map((view) => ({ view, version: 1, state: 'live', position: '90', lagMs, lagPositions: '10', parkedKeys: 0, eventsPerSecond: 1.5, eventsHandled: 12, differingRows: null, slices: [{ slice: 0, position: '90', lagMs, owner: 'one:17' }] })),
  queues: [{ job: 'compare-projections', waiting: 1, active: 0, delayed: 1, completed: 7, failed: 2 }],
});

beforeAll(async () => {
  [store, database] = await Promise.all([testEventStore(), testDatabase()]);
  eventStore = connect(store.url);
  const config = readConfig({ TARL_HTTP_PORT: '0', TARL_GRPC_PORT: '0', TARL_GRAPHQL_PORT: '0', TARL_MIN_POSITION_WAIT_MS: '60000', TARL_METRICS_CRON: '0 0 1 1 *' });
  platform = await startPlatform(config, { eventstoreUrl: store.url, postgresUrl: database.url, localKey: ownerKey }, createLogger('silent'));
  for (const [hour, lagMs] of Object.entries(lags)) {
    const data = checkpointAt(hour, lagMs);
    const appended = await eventStore.append(metricsStream(data.tick), [{ id: randomUUID(), type: 'MetricsCheckpointRecorded', data, metadata: { version: 1, actor: 'tester' } }], { expected: 'none' });
    position = formatPosition(appended.position);
  }
});
afterAll(async () => {
  await platform.close();
  await eventStore.close();
  await store.close();
  await database.drop();
});

const rest = (path: string, headers = {}) => callRest(platform.addresses.rest, 'GET', path, undefined, { 'tarl-min-position': position, ...headers });

describe('checkpoints of metrics', () => {
  test('tell what the lag was at a moment of the past', async () => {
    const { answer } = await rest('/api/v1/metrics-checkpoints:latest?at=2026-01-01T14:03:00Z&view=projects');
    expect(answer).toMatchObject({ tick: '2026-01-01T14:00:00.000Z', views: [{ view: 'projects', lagMs: 6100, slices: [{ slice: 0, lagMs: 6100, owner: 'one:17' }] }], queues: [] });
    expect(answer.views).toHaveLength(1);
    expect((await rest('/api/v1/metrics-checkpoints:latest?at=2026-01-01T13:00:00Z')).answer).toMatchObject({ tick: '2026-01-01T13:00:00.000Z', queues: [{ job: 'compare-projections', failed: 2 }] });
    expect(await rest('/api/v1/metrics-checkpoints:latest?at=2025-12-31T00:00:00Z')).toMatchObject({ status: 404, reason: 'METRICS_CHECKPOINT_NOT_FOUND', message: 'Nothing had been measured at 2025-12-31T00:00:00Z yet' });
  });

  test('are listed the newest first, within a range of time and page by page', async () => {
    const range = 'view=projects&start=2026-01-01T13:00:00Z&end=2026-01-01T15:00:00Z';
    const first = (await rest(`/api/v1/metrics-checkpoints?${range}&pageSize=1`)).answer;
    expect(first.metricsCheckpoints.map(({ tick }: any) => tick)).toEqual(['2026-01-01T14:00:00.000Z']);
    const second = (await rest(`/api/v1/metrics-checkpoints?${range}&pageSize=1&pageToken=${first.nextPageToken}`)).answer;
    expect(second).toMatchObject({ metricsCheckpoints: [{ tick: '2026-01-01T13:00:00.000Z' }], nextPageToken: '' });
    expect(await rest(`/api/v1/metrics-checkpoints?view=jobs&pageToken=${first.nextPageToken}`)).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT' });
    expect((await rest('/api/v1/metrics-checkpoints?view=nobody')).answer.metricsCheckpoints).toEqual([]);
  });

  test('are the same over gRPC, GraphQL and the command line, and no wire shows them to everybody', async () => {
    const loaded = loadPackageDefinition(loadProtos(['tarl/metrics/v1/metrics.proto'])) as any;
    const client = new loaded.tarl.metrics.v1.Metrics(platform.addresses.grpc, credentials.createInsecure());
    const listed = await callGrpc(client, 'ListMetricsCheckpoints', { view: 'projects', end: '2026-01-01T14:30:00Z' });
    expect(listed.answer.metricsCheckpoints.map(({ views: [view] }: any) => Number(view.lagMs))).toEqual([6100, 5]);
    client.close();

    const query = '{ metricsCheckpoint(at: "2026-01-01T14:03:00Z", view: "projects") { tick views { lagMs eventsHandled slices { owner } } } }';
    expect((await callGraphql(platform.addresses.graphql!, { query })).answer.metricsCheckpoint).toEqual({ tick: '2026-01-01T14:00:00.000Z', views: [{ lagMs: 6100, eventsHandled: 12, slices: [{ owner: 'one:17' }] }] });

    const home = await mkdtemp(join(tmpdir(), 'tarl-test-metrics-'));
    await mkdir(join(home, 'tarl'));
    await writeFile(join(home, 'tarl/config.json'), JSON.stringify({ default: { rest: platform.addresses.rest, key: ownerKey }, nobody: { rest: platform.addresses.rest, key: readerKey } }));
    const tarl = (...args: string[]) => runTarl(['metrics', ...args], { env: { XDG_CONFIG_HOME: home, TARL_DATA_DIR: join(home, 'no-data') } });
    const { code, stdout } = await tarl('get', '--at', '2026-01-01T14:03:00Z', '--view', 'projects', '--json');
    expect({ code, lagMs: JSON.parse(stdout).views[0].lagMs }).toEqual({ code: 0, lagMs: 6100 });
    expect((await tarl('list', '--json')).code).toBe(0);
    expect((await tarl('list', '--profile', 'nobody')).code).not.toBe(0);
    await rm(home, { recursive: true });
  });

  test('are made by a job, of what is so at that moment', async () => {
    const job = randomUUID();
    await eventStore.append(jobStream(job), [{ id: randomUUID(), type: 'JobRequested', data: { id: job, job: 'record-metrics-checkpoint', input: {}, notBefore: null }, metadata: { version: 1, actor: 'tester' } }], { expected: 'none' });
    const latest = async () => (await rest('/api/v1/metrics-checkpoints:latest')).answer;
    await until('it is measured', async () => Date.parse((await latest()).tick) > Date.now() - 600_000);
    const { views, queues } = await latest();
    expect(views.find(({ view }: any) => view === 'metrics-checkpoints')).toMatchObject({ state: 'live', parkedKeys: 0, eventsHandled: 3, slices: [{ slice: 0 }] });
    expect(queues.find((queue: any) => queue.job === 'record-metrics-checkpoint')).toMatchObject({ active: 1 });
  });
});
