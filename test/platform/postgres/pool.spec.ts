import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makePool, patient } from '../../../src/platform/postgres/pool.js';
import { isPostgresUnavailable } from '../../../src/platform/postgres/unavailable.js';
import { until } from '../../support/until.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

test('a count beyond what a number holds exactly comes out of Postgres exactly', async () => {
  const { rows } = await database.pool.query('select 9007199254740993::int8 as position, null::int8 as nothing, 7::int4 as small');
  expect(rows).toEqual([{ position: 9007199254740993n, nothing: null, small: 7 }]);
});

test('a read that Postgres does not answer ends, as if Postgres could not be reached', async () => {
  const pool = makePool(database.url, patient(2_000));
  const failure = await pool.query('select pg_sleep(3600)').catch((error: unknown) => error);
  expect(isPostgresUnavailable(failure)).toBe(true);
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await pool.end();
});

test('a read of a platform that is stopping ends as if Postgres could not be reached', async () => {
  const pool = makePool(database.url);
  await pool.end();
  expect(isPostgresUnavailable(await pool.query('select 1').catch((error: unknown) => error))).toBe(true);
});

test('a Postgres whose socket is not there yet, as when it starts again, is one that cannot be reached', async () => {
  const pool = makePool('postgres://tarl@localhost/tarl?host=/nonexistent');
  const failure: NodeJS.ErrnoException = await pool.query('select 1').then(() => Promise.reject(new Error('it answered')), (error: NodeJS.ErrnoException) => error);
  expect([failure.code, isPostgresUnavailable(failure)]).toEqual(['ENOENT', true]);
  expect(isPostgresUnavailable(Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' }))).toBe(false);
  await pool.end();
});

test('text sorts by its bytes, so that pages of one list have the same order on every machine', async () => {
  const { rows } = await database.pool.query(`select t from unnest(array['é', 'a', 'Z', 'z', '_']) t order by t`);
  expect(rows.map((row) => row.t)).toEqual(['Z', '_', 'a', 'z', 'é']);
});

test('a query works again after Postgres has closed every connection of the pool', async () => {
  const name = new URL(database.url).pathname.slice(1);
  await database.pool.query('select 1');
  const other = await testDatabase();
  await other.pool.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  await until('the pool noticed', () => database.pool.totalCount === 0);
  expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await other.drop();
});

test('a connection that breaks while it is lent out, between two queries, does not end the process', async () => {
  const heard: string[] = [];
  const pool = makePool(database.url, {}, (message) => heard.push(message));
  const client = await pool.connect();
  client.emit('error', new Error('read ECONNRESET'));
  expect(heard).toEqual(['A connection to Postgres broke: read ECONNRESET']);
  client.release(true);
  await pool.end();
});

test('a query that is answered does not become an old object, with all that it asked and was told', async () => {
  const forgotten = fileURLToPath(new URL('../../support/forgotten-queries.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', forgotten, database.url]);
  // A thousand answers of a hundred rows are some four million bytes.
  expect(Number(stdout)).toBeLessThan(1_500_000);
});

test('a query that fails on a lent connection tells who asked', async () => {
  const client = await database.pool.connect();
  const whoAsked = async () => await client.query('select 1 / 0');
  const error: Error = await whoAsked().then(() => Promise.reject(new Error('it did not fail')), (failure: Error) => failure);
  expect([error.message, error.stack]).toEqual(['division by zero', expect.stringContaining('whoAsked')]);
  client.release();
});
