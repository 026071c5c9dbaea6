import { DataSource } from 'typeorm';
import { migrations } from '../../../migrations/index.js';
import type { View } from '../../projections/kit/view.js';
import { entityOf } from './entities.js';
import { migrate, migrationsTable } from './migrate.js';

/** Connects TypeORM to the read models, brings their tables up to date, and offers an entity for every keyed view. */
export async function connectDataSource(url: string, views: readonly View[]): Promise<DataSource> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    // A Postgres that dies right after a migration must not forget it: the code that runs counts on the new tables.
    extra: { options: '-c synchronous_commit=on' },
    entities: views.flatMap(({ shapes = [] }) => shapes.map(entityOf)),
    migrations: [...migrations],
    migrationsTableName: migrationsTable,
    installExtensions: false,
    // Hot reads and all writes go through TARL's own pool.
    poolSize: 3,
    applicationName: 'tarl',
  });
  await dataSource.initialize();
  try {
    await migrate(dataSource);
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
  return dataSource;
}
