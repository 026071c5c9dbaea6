import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { views } from '../../src/catalogue.js';
import { connectDataSource } from '../../src/platform/postgres/data-source.js';
import { beginViews } from '../../src/projections/engine/checkpoints.js';
import { pinPast } from '../../src/projections/past.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await (await connectDataSource(database.url, [])).destroy();
  await beginViews(database.pool, views);
});
afterAll(() => database.drop());

const awaited: (readonly string[])[] = [];
const pin = (asOf: string) =>
  pinPast(asOf, ['projects'], {
    pool: database.pool,
    views,
    eventStore: { endOfLog: async () => ({ commit: 9n, prepare: 9n }), async *readLog() {} } as never,
    awaitViews: async (named) => void awaited.push(named),
  });

test('the past of a view that a new release has yet to build is refused, and never answered as if nothing had been', async () => {
  expect(await pin('5')).toBe('5');
  expect(awaited).toEqual([['projects']]);
  await database.pool.query(`update projection_checkpoints set version = version - 1 where view = 'projects'`);
  await expect(pin('5')).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'VIEW_NOT_BUILT', metadata: { view: 'projects' } } });
  await database.pool.query(`update projection_checkpoints set version = version + 1 where view = 'projects'`);
  await database.pool.query(`delete from projection_checkpoints where view = 'log-times'`);
  expect(await pin('5')).toBe('5');
  await expect(pin('2020-01-01T00:00Z')).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { metadata: { view: 'log-times' } } });
});
