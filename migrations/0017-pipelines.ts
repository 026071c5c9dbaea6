import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the views `pipelines` and `pipeline-runs`. */
export class Pipelines implements MigrationInterface {
  readonly name = 'Pipelines1767225600017';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table pipelines (
        project text not null,
        pipeline text not null,
        version bigint not null,
        source text not null,
        steps jsonb not null,
        target text not null,
        owner text not null,
        description text not null,
        tags jsonb not null,
        archived boolean not null,
        created_at timestamptz not null,
        created_by text not null,
        updated_at timestamptz not null,
        etag text not null,
        primary key (project, pipeline)
      )`);
    await runner.query(`
      create table pipeline_runs (
        project text not null,
        pipeline text not null,
        run text not null,
        state text not null,
        start timestamptz,
        "end" timestamptz,
        version bigint not null,
        position text not null,
        slices bigint not null,
        slices_done bigint not null,
        rows_read bigint not null,
        rows_written bigint not null,
        error text not null,
        attempt bigint not null,
        requested_at timestamptz not null,
        requested_by text not null,
        updated_at timestamptz not null,
        etag text not null,
        primary key (project, pipeline, run)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table pipeline_runs');
    await runner.query('drop table pipelines');
  }
}
