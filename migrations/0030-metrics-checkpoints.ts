import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the view `metrics-checkpoints`, and how many events each slice of a view has taken. */
export class MetricsCheckpoints implements MigrationInterface {
  readonly name = 'MetricsCheckpoints1767225600030';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table projection_checkpoints add column events bigint not null default 0');
    await runner.query(`
      create table metrics_checkpoints (
        tick timestamptz primary key,
        recorded_at timestamptz not null,
        end_of_log text not null,
        views jsonb not null,
        queues jsonb not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table metrics_checkpoints');
    await runner.query('alter table projection_checkpoints drop column events');
  }
}
