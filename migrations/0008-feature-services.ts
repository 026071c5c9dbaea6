import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the view `feature-services`. */
export class FeatureServices implements MigrationInterface {
  readonly name = 'FeatureServices1767225600008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table feature_services (
        project text not null,
        service text not null,
        features jsonb not null,
        full_names boolean not null,
        owner text not null,
        description text not null,
        tags jsonb not null,
        archived boolean not null,
        created_at timestamptz not null,
        created_by text not null,
        updated_at timestamptz not null,
        etag text not null,
        primary key (project, service)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table feature_services');
  }
}
