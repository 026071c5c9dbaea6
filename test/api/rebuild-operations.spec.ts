import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewOperation, Operation } from '../../src/api/core.js';
import { testApi, type TestApi } from './support/clients.js';

const id = '6b6f5a52-2c38-4d3e-9d1c-6a2f0e6f0b11';
const operation: Operation = { name: `operations/${id}`, done: false, metadata: { kind: 'rebuild', view: 'projects', actor: 'key:owner-key', state: 'running', startedAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' } };
const asked: unknown[] = [];
let served: TestApi;
beforeAll(async () => {
  served = await testApi();
  Object.assign(served.core.projections, {
    begin: async (work: NewOperation) => (asked.push(work), operation),
    operations: async () => [operation],
    operation: async (which: string) => (asked.push(['get', which]), operation),
    steer: async (which: string, wish: string) => (asked.push([wish, which]), operation),
  });
});
afterAll(() => served.close());

const routes = [
  ['POST', '/api/v1/projections/projects:rebuild'],
  ['GET', '/api/v1/operations'],
  ['GET', `/api/v1/operations/${id}`],
  ['POST', `/api/v1/operations/${id}:cancel`],
] as const;

test('a rebuild is begun in the name of its caller and answered at once; then it is looked at and called off by its name', async () => {
  const answers = [];
  for (const [method, path] of routes) answers.push(await served.rest(method, path));
  expect(answers.map(({ status, answer }) => ({ status, answer }))).toEqual([operation, { operations: [operation] }, operation, operation].map((answer) => ({ status: 200, answer })));
  expect(asked.splice(0)).toEqual([{ kind: 'rebuild', view: 'projects', actor: 'key:owner-key' }, ['get', id], ['cancel', id]]);
});

test('operations are nothing for a key without the permission', async () => {
  for (const [method, path] of routes) expect(await served.rest(method, path, undefined, { authorization: 'Bearer reader-key' })).toMatchObject({ status: 403, reason: 'MISSING_PERMISSION' });
  expect(asked).toEqual([]);
});
