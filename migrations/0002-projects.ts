import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the view `projects`. */
export class Projects implements MigrationInterface {
  readonly name = 'Projects1767225600002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table projects (
        project text primary key,
        description text not null,
        archived boolean not null,
        created_at timestamptz not null,
        created_by text not null,
        updated_at timestamptz not null,
        etag text not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table projects');
  }
}
