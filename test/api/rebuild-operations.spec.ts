import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import type { NewOperation, Operation } from '../../src/api/core.js';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { Refusal } from '../../src/domain/kit/index.js';
import { callGrpc, testApi, type TestApi } from './support/clients.js';

const id = '6b6f5a52-2c38-4d3e-9d1c-6a2f0e6f0b11';
const event = { id, type: 'ProjectDescribed', stream: 'project-fraud', revision: '1', position: '200' };
const operation: Operation = {
  name: `operations/${id}`, done: true,
  metadata: {
    kind: 'rebuild', view: 'projects', actor: 'key:owner-key', state: 'failed', onDifference: 'STOP', startedAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z',
    progress: { events: 12, done: 1, eventsPerSecond: 100, secondsLeft: 0, phase: 'comparing' },
    comparison: {
      view: 'projects', position: '200', same: false,
      tables: [{ table: 'projects', added: 0, removed: 0, changed: 1, columns: { description: 1 } }],
      rows: [{ table: 'projects', kind: 'changed', key: { project: 'fraud' }, columns: [{ name: 'description', replayed: 'Card fraud' }], event }],
    },
  },
  error: { code: 'FAILED_PRECONDITION', message: 'The rows differ' },
};
const asked: unknown[] = [];
let served: TestApi;
let client: Client;
beforeAll(async () => {
  served = await testApi();
  Object.assign(served.core.projections, {
    begin: async (work: NewOperation) => (asked.push(work), operation),
    operations: async () => [operation],
    operation: async (which: string) => (asked.push(['get', which]), operation),
    steer: async (which: string, wish: string) => (asked.push([wish, which]), operation),
  });
  const loaded = loadPackageDefinition(loadProtos(['tarl/projections/v1/projections.proto'])) as any;
  client = new loaded.tarl.projections.v1.Projections(served.api.addresses.grpc, credentials.createInsecure());
});
beforeEach(() => void (asked.length = 0));
afterAll(async () => {
  client.close();
  await served.close();
});

const by = { actor: 'key:owner-key' };
const whole = `{ name done metadata { kind view actor state onDifference startedAt updatedAt progress { events done eventsPerSecond secondsLeft phase }
  comparison { view position same tables { table added removed changed columns } rows { table kind key columns { name live replayed } event { id type stream revision position } } } } error { code message } }`;

/** What is asked for, on each wire: REST method, path and body; rpc and message; GraphQL field. */
const calls = [
  { rest: ['POST', '/api/v1/projections/projects:rebuild', { onDifference: 'SWITCH' }], rpc: ['RebuildProjection', { view: 'projects', onDifference: 'SWITCH' }], graphql: 'mutation { answer: rebuildProjection(input: { view: "projects", onDifference: SWITCH })', heard: { kind: 'rebuild', view: 'projects', onDifference: 'SWITCH', ...by } },
  { rest: ['POST', '/api/v1/projections/projects:compare'], rpc: ['CompareProjection', { view: 'projects' }], graphql: 'mutation { answer: compareProjection(input: { view: "projects" })', heard: { kind: 'comparison', view: 'projects', ...by } },
  { rest: ['POST', '/api/v1/projections/projects:rollBack'], rpc: ['RollBackProjection', { view: 'projects' }], graphql: 'mutation { answer: rollBackProjection(input: { view: "projects" })', heard: { kind: 'rollback', view: 'projects', ...by } },
  { rest: ['GET', `/api/v1/operations/${id}`], rpc: ['GetOperation', { id }], graphql: `{ answer: operation(id: "${id}")`, heard: ['get', id] },
  { rest: ['POST', `/api/v1/operations/${id}:pause`], rpc: ['PauseOperation', { id }], graphql: `mutation { answer: pauseOperation(input: { id: "${id}" })`, heard: ['pause', id] },
  { rest: ['POST', `/api/v1/operations/${id}:resume`], rpc: ['ResumeOperation', { id }], graphql: `mutation { answer: resumeOperation(input: { id: "${id}" })`, heard: ['resume', id] },
  { rest: ['POST', `/api/v1/operations/${id}:cancel`], rpc: ['CancelOperation', { id }], graphql: `mutation { answer: cancelOperation(input: { id: "${id}" })`, heard: ['cancel', id] },
] as const;

/** What GraphQL says null for, others leave out; and digits are whole numbers. */
const plain = (value: any): any => {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === null || item === undefined ? [] : [[key, ['events', 'added', 'removed', 'changed', 'description'].includes(key) && typeof item === 'string' && /^\d+$/.test(item) ? Number(item) : plain(item)]])));
};

describe.each(calls.map((call) => [call.rpc[0], call] as const))('%s', (_name, { rest: [method, path, body], rpc, graphql, heard }) => {
  test('is asked and answered alike on every wire', async () => {
    expect(await served.rest(method, path, body)).toMatchObject({ status: 200, answer: operation });
    expect(plain((await callGrpc(client, rpc[0], rpc[1])).answer)).toEqual(operation);
    expect(plain((await served.graphql(`${graphql} ${whole} }`)).answer)).toEqual({ answer: operation });
    expect(asked).toEqual([heard, heard, heard]);
  });

  test('is nothing for a key without the permission', async () => {
    const reader = { authorization: 'Bearer reader-key' };
    expect(await served.rest(method, path, body, reader)).toMatchObject({ status: 403, reason: 'MISSING_PERMISSION' });
    expect(await callGrpc(client, rpc[0], rpc[1], reader)).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await served.graphql(`${graphql} ${whole} }`, {}, reader)).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(asked).toEqual([]);
  });
});

test('operations and read models are listed on every wire', async () => {
  expect((await served.rest('GET', '/api/v1/operations')).answer).toEqual({ operations: [operation] });
  expect(plain((await callGrpc(client, 'ListOperations', {})).answer)).toEqual({ operations: [operation] });
  expect(plain((await served.graphql(`{ operations { operations ${whole} } }`)).answer)).toEqual({ operations: { operations: [operation] } });
  expect((await served.rest('GET', '/api/v1/projections')).answer.projections[0]).toMatchObject({ name: 'projects', version: 1, lagMs: 0 });
  expect((await callGrpc(client, 'ListProjections', {})).answer.projections[0]).toMatchObject({ name: 'projects', version: '1', state: 'live' });
  expect((await served.graphql('{ projections { projections { name version slices { slice } } } }')).answer.projections.projections[0]).toMatchObject({ name: 'projects', version: 1 });
});

test('what is not a policy, a view or an operation is refused on every wire', async () => {
  expect(await served.rest('POST', '/api/v1/projections/projects:rebuild', { onDifference: 'perhaps' })).toMatchObject({ status: 400, fields: [{ field: 'onDifference' }] });
  expect(await served.rest('POST', '/api/v1/projections/projects:rebuild', { otherwise: true })).toMatchObject({ status: 400, reason: 'UNKNOWN_FIELD' });
  expect(await callGrpc(client, 'GetOperation', {})).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'id' }] });
  expect(asked).toEqual([]);
  Object.assign(served.core.projections, { operation: async () => Promise.reject(new Refusal('NOT_FOUND', 'There is no operation nope', { reason: 'OPERATION_NOT_FOUND' })) });
  expect(await served.rest('GET', '/api/v1/operations/nope')).toMatchObject({ status: 404 });
  expect(await callGrpc(client, 'GetOperation', { id: 'nope' })).toMatchObject({ code: 'NOT_FOUND', reason: 'OPERATION_NOT_FOUND' });
  expect(await served.graphql('{ operation(id: "nope") { name } }')).toMatchObject({ code: 'NOT_FOUND' });
});
