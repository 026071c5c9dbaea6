import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the projection engine keeps: how far each view is, which are being rebuilt, and the commands that may be repeated. */
export class Engine implements MigrationInterface {
  readonly name = 'Engine1767225600001';

  async up(runner: QueryRunner): Promise<void> {
    // Positions are unsigned 64-bit numbers, which bigint cannot hold. Rows are small and rewritten all the time:
    // the free space lets Postgres keep the new version on the same page, without touching the index.
    await runner.query(`
      create table projection_checkpoints (
        view text primary key,
        version integer not null,
        commit_position numeric(20) not null,
        prepare_position numeric(20) not null,
        error text,
        events_per_second double precision not null default 0,
        updated_at timestamptz not null default now()
      ) with (fillfactor = 20)`);
    await runner.query(`
      create table projection_builds (
        view text primary key,
        build uuid not null,
        version integer not null,
        commit_position numeric(20) not null default 0,
        prepare_position numeric(20) not null default 0,
        started_at timestamptz not null default now()
      )`);
    await runner.query(`
      create table command_log (
        command_id uuid primary key,
        body_hash text not null,
        stream text not null,
        revision bigint not null,
        position text not null,
        recorded_at timestamptz not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table projection_checkpoints, projection_builds, command_log');
  }
}
