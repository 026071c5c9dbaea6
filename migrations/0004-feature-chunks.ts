import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the view `feature-chunks`. */
export class FeatureChunks implements MigrationInterface {
  readonly name = 'FeatureChunks1767225600004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table feature_chunks (
        stream text collate "C" not null,
        revision bigint not null,
        from_us bigint not null,
        to_us bigint not null,
        keys integer[],
        primary key (stream, revision)
      )`);
    await runner.query('create index feature_chunks_by_key on feature_chunks using gin (keys)');
    await runner.query('create index feature_chunks_of_many on feature_chunks (stream, to_us) where keys is null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table feature_chunks');
  }
}
