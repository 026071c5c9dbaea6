import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the view `feature-group-shares`. */
export class FeatureGroupShares implements MigrationInterface {
  readonly name = 'FeatureGroupShares1767225600029';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table feature_group_shares (
        project text not null,
        name text not null,
        owner text not null,
        "group" text not null,
        shared_at timestamptz not null,
        shared_by text not null,
        primary key (project, name)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table feature_group_shares');
  }
}
