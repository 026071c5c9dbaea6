import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { views as platformViews } from '../../../src/catalogue.js';
import { connectDataSource } from '../../../src/platform/postgres/data-source.js';
import { commandLogView } from '../../../src/projections/engine/command-log.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';

const views = [...platformViews, commandLogView];
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await (await connectDataSource(database.url, views)).destroy();
});
afterAll(() => database.drop());

const columnsOf = `
  select column_name as name, data_type as type, is_nullable = 'YES' as nullable, column_default as default
  from information_schema.columns where table_schema = 'public' and table_name = $1 order by column_name`;
const keyOf = `
  select a.attname as name from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
  where i.indrelid = $1::regclass and i.indisprimary order by array_position(i.indkey::int2[], a.attnum)`;
const typeNames: Record<string, string> = { 'timestamp with time zone': 'timestamptz' };

describe('the migrations make exactly what the views declare', () => {
  test('every table of a view, the engine\'s own, and no other', async () => {
    const { rows } = await database.pool.query(`select tablename from pg_tables where schemaname = 'public'`);
    const own = ['feature_quarantine', 'operations', 'projection_builds', 'projection_checkpoints', 'projection_formers', 'projection_parked_events', 'projection_parked_keys', 'reaction_checkpoints', 'schema_migrations', 'stream_snapshots'];
    expect(rows.map(({ tablename }) => tablename).sort()).toEqual([...views.flatMap(({ tables }) => tables), ...own].sort());
  });

  test.each(views.flatMap(({ shapes = [] }) => shapes))('table $name, column for column', async ({ name, columns, key }) => {
    const { rows } = await database.pool.query(columnsOf, [name]);
    expect(rows.map((row) => ({ ...row, type: typeNames[row.type] ?? row.type }))).toEqual(
      columns.map((column) => ({ name: column.name, type: column.type, nullable: column.nullable, default: null })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    expect((await database.pool.query(keyOf, [name])).rows.map((row) => row.name)).toEqual(key);
  });
});

test('no column of a view takes its value from the clock or the dice: a rebuild would give another', async () => {
  const { rows } = await database.pool.query(
    `select table_name, column_name from information_schema.columns where table_name = any($1) and column_default ~ '(now|clock|current|random|uuid|nextval)'`,
    [views.flatMap(({ tables }) => tables)],
  );
  expect(rows).toEqual([]);
});

test('several processes may start at once on an empty database', async () => {
  const empty = await testDatabase();
  const sources = await Promise.all([1, 2, 3].map(() => connectDataSource(empty.url, views)));
  const { rows } = await empty.pool.query('select count(*)::int as count, count(distinct name)::int as names from schema_migrations');
  expect(rows[0].count).toBe(rows[0].names);
  await Promise.all(sources.map((source) => source.destroy()));
  await empty.drop();
});

test('a view is read through TypeORM by the names of its rows', async () => {
  const source = await connectDataSource(database.url, views);
  await database.pool.query(`insert into projects values ('p', 'd', false, '2026-01-01T00:00:00Z', 'me', '2026-01-01T00:00:00Z', '0')`);
  expect(await source.getRepository('projects').findOneBy({ createdBy: 'me' })).toMatchObject({ project: 'p', createdAt: new Date('2026-01-01T00:00:00Z') });
  await source.destroy();
});

test('read models that a newer release has written are refused with one clear sentence', async () => {
  const newer = await testDatabase();
  await (await connectDataSource(newer.url, views)).destroy();
  await newer.pool.query(`insert into schema_migrations (timestamp, name) values (1999999999999, 'Tomorrow1999999999999')`);
  await expect(connectDataSource(newer.url, views)).rejects.toMatchObject({
    name: 'SetupError',
    message: expect.stringMatching(/^The read models in this Postgres database were written by a newer release of TARL \(migration Tomorrow1999999999999\): start that release/),
  });
  await newer.drop();
});
