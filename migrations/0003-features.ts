import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the views `feature-groups` and `feature-online`. */
export class Features implements MigrationInterface {
  readonly name = 'Features1767225600003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table feature_groups (
        project text not null,
        "group" text not null,
        version bigint not null,
        entities jsonb not null,
        features jsonb not null,
        ttl_seconds bigint not null,
        partitions bigint not null,
        owner text not null,
        description text not null,
        tags jsonb not null,
        archived boolean not null,
        created_at timestamptz not null,
        created_by text not null,
        updated_at timestamptz not null,
        etag text not null,
        primary key (project, "group")
      )`);
    // Keys compare as bytes, which is the fastest and never changes with the system's locale. Rows are replaced all the
    // time: the free space keeps the new version on the same page, without touching the index.
    await runner.query(`
      create table feature_online (
        scope uuid not null,
        key text collate "C" not null,
        event_time_us bigint not null,
        feature_values text not null,
        primary key (scope, key)
      ) with (fillfactor = 80)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table feature_groups, feature_online');
  }
}
