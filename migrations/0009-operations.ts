import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Work that outlives the request that began it. */
export class Operations implements MigrationInterface {
  readonly name = 'Operations1767225600009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table operations (
        id uuid primary key,
        view text not null,
        actor text not null,
        state text not null default 'running' check (state in ('running', 'done', 'failed', 'cancelled')),
        progress jsonb,
        error jsonb,
        runner uuid,
        cancelled boolean not null default false,
        started_at timestamptz not null default clock_timestamp(),
        updated_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`create unique index operations_running on operations (view) where state = 'running'`);
    await runner.query('create index operations_by_start on operations (started_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table operations');
  }
}
