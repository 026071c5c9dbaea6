import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { PackedOnlineRows } from '../../../migrations/0044-packed-online-rows.js';
import type { FeatureValue } from '../../../src/domain/features/values.js';
import { connectDataSource } from '../../../src/platform/postgres/data-source.js';
import { unpackRow } from '../../../src/projections/features/online/packed-row.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';

let database: TestDatabase;
let source: DataSource;
beforeAll(async () => {
  database = await testDatabase();
  source = await connectDataSource(database.url, []);
});
afterAll(async () => {
  await source.destroy();
  await database.drop();
});

async function migrate(way: 'up' | 'down'): Promise<void> {
  const runner = source.createQueryRunner();
  await runner.startTransaction();
  await new PackedOnlineRows()[way](runner);
  await runner.commitTransaction();
  await runner.release();
}

const scope = '1a8f0c1e-54d7-5d0b-9d6e-8b7a1f3c9e60';

test('rows of before are written again, those of a rebuild under way and of the tables kept for going back too, and back', async () => {
  const values: (FeatureValue | null)[] = [1.5, 7, '9223372036854775807', 'Lagos "\\ \u{1F600}', true, null, [0.25, 1]];
  await migrate('down');
  await database.pool.query('create table feature_online__shadow (like feature_online including all excluding indexes)');
  await database.pool.query('create table feature_online__former (like feature_online including all)');
  for (const table of ['feature_online', 'feature_online__shadow', 'feature_online__former']) {
    await database.pool.query(`insert into ${table} select $1, 'k' || n, n, case when n = 5 then '[]' else $2 end from generate_series(1, 25000) n`, [scope, JSON.stringify(values)]);
  }
  const before = await allRows();
  await migrate('up');
  for (const table of ['feature_online', 'feature_online__shadow', 'feature_online__former']) {
    const { rows } = await database.pool.query(`select event_time_us::int as time, feature_values as packed from ${table}`);
    expect(rows).toHaveLength(25_000);
    for (const { time, packed } of rows) if (time < 10 || time > 24_990) expect(unpackRow(packed)).toEqual(time === 5 ? [] : values);
    expect(new Set(rows.map(({ packed }) => packed)).size).toBe(25_000);
  }
  await migrate('down');
  expect(await allRows()).toEqual(before);
});

const allRows = async () => (await database.pool.query('select key, event_time_us, feature_values from feature_online union all select key, event_time_us, feature_values from feature_online__former order by 2, 1')).rows;
