import type { DataSource, QueryRunner } from 'typeorm';
import { SetupError } from '../supervise/setup-error.js';

export const migrationsTable = 'schema_migrations';

/** Held while migrations run, so that of several processes starting at once only one runs them. */
const migrationLock = 0x7461_726c_0001;

/** Runs the migrations that this database has not had. Refuses a database that has had some this release does not know. */
export async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('select pg_advisory_lock($1)', [migrationLock]);
    await refuseNewer(dataSource, runner);
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query('select pg_advisory_unlock($1)', [migrationLock]);
    await runner.release();
  }
}

async function refuseNewer(dataSource: DataSource, runner: QueryRunner): Promise<void> {
  const [{ exists }] = await runner.query('select to_regclass($1) is not null as exists', [migrationsTable]);
  if (!exists) return;
  const known = new Set(dataSource.migrations.map(({ name }) => name));
  const done: { name: string }[] = await runner.query(`select name from ${migrationsTable} order by id`);
  const unknown = done.find(({ name }) => !known.has(name));
  if (!unknown) return;
  throw new SetupError(
    `The read models in this Postgres database were written by a newer release of TARL (migration ${unknown.name}): ` +
    'start that release, or give this one an empty database, which it fills again from the log.',
  );
}
