import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The trace of whoever asked for a job. */
export class TracesOfJobs implements MigrationInterface {
  readonly name = 'TracesOfJobs1767225600015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table requested_jobs add column traceparent text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table requested_jobs drop column traceparent');
  }
}
