import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { connect } from '../../../src/platform/eventstore/index.js';
import { startCollector, type CollectedSpan, type Collector } from '../../support/collector.js';
import { testEventStore, type TestEventStore } from '../../support/eventstore.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { dataFolder, tarlUp, type RunningTarl } from '../../support/tarl.js';
import { until } from '../../support/until.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const callersSpan = 'b7ad6b7169203331';
let collector: Collector;
let store: TestEventStore;
let database: TestDatabase;
let folder: Awaited<ReturnType<typeof dataFolder>>;
beforeEach(async () => {
  [collector, store, database, folder] = await Promise.all([startCollector(), testEventStore(), testDatabase(), dataFolder()]);
});
afterEach(async () => {
  await store.close();
  await Promise.all([collector.close(), database.drop(), folder.remove()]);
});

/** A platform on the test's own stores; reactions and jobs are left to others. */
function platform(env: NodeJS.ProcessEnv): Promise<RunningTarl> {
  return tarlUp(folder.path, { env: { TARL_EVENTSTORE_URL: store.url, TARL_POSTGRES_URL: database.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_BSP_SCHEDULE_DELAY: '100', TARL_ROLES: 'api,projector', ...env } });
}

async function createProject({ addresses, ownerKey }: RunningTarl, project: string, headers: Record<string, string> = {}): Promise<void> {
  const answer = await fetch(`${addresses.rest}/api/v1/projects`, { method: 'POST', headers: { authorization: `Bearer ${ownerKey}`, 'content-type': 'application/json', ...headers }, body: JSON.stringify({ project }) });
  expect(answer.status).toBe(200);
}

const named = (name: string): CollectedSpan | undefined => collector.spans.find((span) => span.name === name);
const arrived = (name: string) => until(`the span ${name} is there`, () => named(name));

test('one trace goes from a request over the log, the projection and a reaction to a job in another process, and what the job changes', async () => {
  const running = await platform({ TARL_OTEL_EXPORTER: 'otlp', TARL_OTEL_ENDPOINT: collector.otlp });
  const child = spawn(resolve('node_modules/node/bin/node'), ['test/support/reacting.mjs', store.url, database.url, collector.otlp], {
    env: { ...process.env, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_BSP_SCHEDULE_DELAY: '100' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await createProject(running, 'flights', { traceparent: `00-${traceId}-${callersSpan}-01` });
  await arrived('DescribeProject');
  const [request, projection, reaction, asked, enqueued, job] = await Promise.all(
    ['rest CreateProject', 'project projects', 'react greet-new', 'RequestJob', 'enqueue greet', 'job greet'].map(arrived),
  ) as [CollectedSpan, ...CollectedSpan[]] & CollectedSpan[];
  child.kill('SIGTERM');
  await once(child, 'exit');
  expect(await running.stop()).toBe(0);

  expect(collector.spans.map((span) => [span.name, span.traceId])).toEqual(collector.spans.map(({ name }) => [name, traceId]));
  const appends = collector.spans.filter(({ name }) => name === 'append').map(({ parentId }) => parentId);
  expect(request.parentId).toBe(callersSpan);
  expect(appends).toContain(request.id);
  expect(reaction!.parentId).toBe(request.id);
  expect(asked!.parentId).toBe(reaction!.id);
  expect(appends).toContain(asked!.id);
  expect(job!.parentId).toBe(asked!.id);
  expect(named('DescribeProject')!.parentId).toBe(job!.id);
  // Where many may lead to one, links say which.
  expect(projection!.links).toEqual([expect.objectContaining({ traceId, spanId: request.id })]);
  expect(enqueued!.links).toEqual([expect.objectContaining({ traceId, spanId: asked!.id })]);
  expect(job!.links).toEqual([expect.objectContaining({ traceId, spanId: enqueued!.id })]);
});

test('a request that begins its trace is the span that its events name, and what else it asks for are spans of their own', async () => {
  const running = await platform({ TARL_OTEL_EXPORTER: 'otlp', TARL_OTEL_ENDPOINT: collector.otlp });
  const create = (name: string) => `${name}: createProject(input: { project: "${name}" }) { position }`;
  const answer = await fetch(running.addresses.graphql!, { method: 'POST', headers: { authorization: `Bearer ${running.ownerKey}`, 'content-type': 'application/json' }, body: JSON.stringify({ query: `mutation { ${create('a')} ${create('b')} }` }) });
  expect(await answer.json()).toEqual({ data: { a: { position: expect.any(String) }, b: { position: expect.any(String) } } });
  await until('both appends are there', () => collector.spans.filter(({ name }) => name === 'append').length === 2);
  expect(await running.stop()).toBe(0);

  const log = connect(store.url);
  const written: string[] = [];
  for await (const event of log.readLog()) if (event.type === 'ProjectCreated') written.push(event.metadata['traceparent'] as string);
  await log.close();
  const requests = collector.spans.filter(({ name }) => name === 'graphql CreateProject');
  const appends = collector.spans.filter(({ name }) => name === 'append');
  expect(new Set(requests.map(({ id }) => id)).size).toBe(2);
  expect(new Set(collector.spans.filter(({ name }) => !name.startsWith('project ')).map(({ traceId }) => traceId)).size).toBe(1);
  expect(requests.map(({ parentId }) => parentId || undefined)).toEqual([undefined, undefined]);
  expect(requests.map(({ traceId, id }) => `00-${traceId}-${id}-01`).sort()).toEqual(written.sort());
  expect(appends.map(({ parentId }) => parentId).sort()).toEqual(requests.map(({ id }) => id).sort());
});

test('Zipkin takes the traces too', async () => {
  const running = await platform({ TARL_OTEL_EXPORTER: 'zipkin', TARL_OTEL_ENDPOINT: collector.zipkin });
  await createProject(running, 'flights', { traceparent: `00-${traceId}-${callersSpan}-01` });
  const [request, append] = (await Promise.all(['rest CreateProject', 'append'].map(arrived))) as [CollectedSpan, CollectedSpan];
  expect(await running.stop()).toBe(0);
  expect([request, append].map((span) => [span.traceId, span.parentId])).toEqual([[traceId, callersSpan], [traceId, request.id]]);
});

test('a platform whose collector is not there works, says so, and ends as ever', async () => {
  const running = await platform({ TARL_OTEL_EXPORTER: 'otlp', TARL_OTEL_ENDPOINT: 'http://127.0.0.1:9' });
  for (const project of ['a', 'b', 'c']) await createProject(running, project);
  expect(await running.stop()).toBe(0);
  expect(running.output.err.match(/Traces cannot be sent/g)).toHaveLength(1);
});

test('of the traces begun here a share is recorded; of those that a caller began, those that the caller records', async () => {
  const running = await platform({ TARL_OTEL_EXPORTER: 'otlp', TARL_OTEL_ENDPOINT: collector.otlp, TARL_OTEL_SAMPLE: '0' });
  await createProject(running, 'unseen');
  await createProject(running, 'unrecorded', { traceparent: `00-${traceId.replace('0a', '0b')}-${callersSpan}-00` });
  await createProject(running, 'recorded', { traceparent: `00-${traceId}-${callersSpan}-01` });
  await arrived('project projects');
  expect(await running.stop()).toBe(0);
  expect(new Set(collector.spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  expect(collector.spans.filter(({ name }) => name === 'rest CreateProject')).toHaveLength(1);
});
