import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testApi, type TestApi } from './support/clients.js';

let served: TestApi;
beforeAll(async () => void (served = await testApi()));
afterAll(() => served.close());

test('a key that may not read the audit is told nothing of the log', async () => {
  expect(await served.rest('GET', '/api/v1/replay', undefined, { authorization: 'Bearer reader-key' })).toMatchObject({ status: 403, reason: 'MISSING_PERMISSION' });
});

test('a replay that breaks says so in its last line', async () => {
  (served.core.eventStore as any).readLog = async function* () {
    throw new Error('the store is gone');
  };
  const { status, answer } = await served.rest('GET', '/api/v1/replay');
  expect(status).toBe(200);
  expect(answer).toMatchObject({ error: { code: 'INTERNAL' } });
});
