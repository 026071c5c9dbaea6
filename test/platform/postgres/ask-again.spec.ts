import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { askingAgain } from '../../../src/platform/postgres/ask-again.js';
import { makePool } from '../../../src/platform/postgres/pool.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** Ends the sessions of a pool while they are idle, and comes back before the pool may have noticed. */
const endSessions = (name: string) => database.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`, [name]);

test('reads whose idle connections were all ended are answered on new ones', async () => {
  const pool = makePool(database.url, { application_name: 'idle reads' }, () => undefined);
  const reads = askingAgain(pool);
  const ask = () => Promise.all(Array.from({ length: 10 }, async (_, one) => (await reads.query('select $1::int as one', [one])).rows[0].one));
  for (let round = 0; round < 30; round++) {
    expect(await ask()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const ended = endSessions('idle reads');
    for (let more = 0; more < 3; more++) expect(await ask()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await ended;
    expect(await ask()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
  await pool.end();
});

test('what is wrong with a statement itself is told at once', async () => {
  let asked = 0;
  const failing = askingAgain({ query: async () => (asked++, Promise.reject(new Error('syntax error'))) });
  await expect(failing.query()).rejects.toThrow('syntax error');
  expect(asked).toBe(1);
});

test('a Postgres that ends every session is asked a few times only', async () => {
  let asked = 0;
  const ending = askingAgain({ query: async () => (asked++, Promise.reject(Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' }))) });
  await expect(ending.query()).rejects.toThrow('terminating connection');
  expect(asked).toBe(17);
});
