import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The versions of feature groups; the rows there are hold none until the view is rebuilt. */
export class FeatureGroupVersions implements MigrationInterface {
  readonly name = 'FeatureGroupVersions1767225600011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table feature_groups add column versions jsonb not null default '[]'`);
    await runner.query('alter table feature_groups alter column versions drop default');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table feature_groups drop column versions');
  }
}
