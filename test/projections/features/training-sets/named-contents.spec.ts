import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { views } from '../../../../src/catalogue.js';
import { connectDataSource } from '../../../../src/platform/postgres/data-source.js';
import { isNamedBySavedSets } from '../../../../src/projections/features/training-sets/named-contents.js';
import { testDatabase, type TestDatabase } from '../../../support/postgres.js';

let database: TestDatabase;
const [entityRows, stored, notStored] = ['aa', 'bb', 'cc'].map((two) => two.repeat(32)) as [string, string, string];
let waited: unknown[] = [];
let parked: object[] = [];
let behind: Error | undefined;

beforeAll(async () => {
  database = await testDatabase();
  await (await connectDataSource(database.url, views)).destroy();
  const insert = (name: string, rowsHash: string | null, hash: string, isStored: boolean) =>
    database.pool.query(
      `insert into training_sets values ('p', $1, '', '', '{}', '[]', '', false, '[]', '{}', $2, null, 1, '[]', $3, 0, $4, now(), 'me', now(), '0')`,
      [name, rowsHash === null ? null : JSON.stringify({ hash: rowsHash, rows: 1, timeColumn: 't' }), hash, isStored],
    );
  await insert('one', entityRows, notStored, false);
  await insert('two', null, stored, true);
});
afterAll(() => database.drop());

const isNamed = (hash: string) =>
  isNamedBySavedSets(
    {
      pool: database.pool,
      eventStore: { endOfLog: async () => ({ commit: 9n, prepare: 9n }) } as never,
      projections: { waitFor: async (...given: unknown[]) => { waited.push(given); if (behind) throw behind; }, parked: async () => parked as never },
    },
    5,
  )(hash);

test('rows that a caller brought and rows that are stored are named by the saved sets that hold all of the log', async () => {
  expect(await Promise.all([entityRows, stored, notStored, 'dd'.repeat(32)].map(isNamed))).toEqual([true, true, false, false]);
  expect(waited[0]).toEqual([['training-sets'], { commit: 9n, prepare: 9n }, { timeoutMs: 5 }]);
});

test('while that cannot be known, it is said so, and never that nobody names them', async () => {
  parked = [{ view: 'training-sets' }];
  await expect(isNamed(notStored)).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'VIEW_HAS_PARKED_KEYS' } });
  parked = [];
  behind = new Error('The view is behind');
  await expect(isNamed(notStored)).rejects.toThrow('behind');
});
