import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows that were refused and wait to be mended. No view: the log knows nothing of them, and they go when their time is up. */
export class FeatureQuarantine implements MigrationInterface {
  readonly name = 'FeatureQuarantine1767225600019';

  async up(runner: QueryRunner): Promise<void> {
    // The row is a text: it holds what no other type would take, which may be why it was refused.
    await runner.query(`
      create table feature_quarantine (
        id text collate "C" primary key,
        project text not null,
        "group" text not null,
        version bigint,
        mode text not null,
        "row" text not null,
        faults jsonb not null,
        field text not null,
        reason text not null,
        source text not null,
        bytes integer not null,
        refused_at timestamptz not null,
        refused_by text not null,
        expires_at timestamptz not null
      )`);
    // How much a project holds is read from the index alone.
    await runner.query('create index feature_quarantine_of_project on feature_quarantine (project, id) include (bytes)');
    await runner.query('create index feature_quarantine_expiry on feature_quarantine (expires_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table feature_quarantine');
  }
}
