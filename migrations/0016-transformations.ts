import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the view `transformations`. */
export class Transformations implements MigrationInterface {
  readonly name = 'Transformations1767225600016';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table transformations (
        project text not null,
        transformation text not null,
        version bigint not null,
        inputs jsonb not null,
        outputs jsonb not null,
        versions jsonb not null,
        owner text not null,
        description text not null,
        tags jsonb not null,
        archived boolean not null,
        created_at timestamptz not null,
        created_by text not null,
        updated_at timestamptz not null,
        etag text not null,
        primary key (project, transformation)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table transformations');
  }
}
