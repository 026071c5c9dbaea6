import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the view `untold-breaches`. */
export class UntoldBreaches implements MigrationInterface {
  readonly name = 'UntoldBreaches1767225600043';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table untold_breaches (
        project text collate "C" not null,
        "group" text collate "C" not null,
        breach text collate "C" not null,
        found jsonb not null,
        recorded_at timestamptz not null,
        primary key (project, "group", breach)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table untold_breaches');
  }
}
