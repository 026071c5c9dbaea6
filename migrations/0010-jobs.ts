import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the view `jobs`. */
export class Jobs implements MigrationInterface {
  readonly name = 'Jobs1767225600010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table requested_jobs (
        id text collate "C" primary key,
        job text not null,
        input jsonb not null,
        not_before timestamptz,
        status text not null,
        reason text,
        requested_at timestamptz not null,
        requested_by text not null,
        since timestamptz not null
      )`);
    await runner.query(`create index requested_jobs_waiting on requested_jobs (job, id) where status = 'waiting'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table requested_jobs');
  }
}
