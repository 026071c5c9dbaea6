import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Folds of long streams, to begin with after a restart. They may be lost: the streams are then read from their start. */
export class Snapshots implements MigrationInterface {
  readonly name = 'Snapshots1767225600024';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table stream_snapshots (
        stream text collate "C" primary key,
        folds text not null,
        checksum bytea not null,
        body bytea not null,
        taken_at timestamptz not null default clock_timestamp()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table stream_snapshots');
  }
}
