import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the view `training-sets`, and their history. */
export class TrainingSets implements MigrationInterface {
  readonly name = 'TrainingSets1767225600020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table training_sets (
        project text not null,
        training_set text not null,
        owner text not null,
        description text not null,
        tags jsonb not null,
        features jsonb not null,
        service text not null,
        full_names boolean not null,
        aliases jsonb not null,
        known_at jsonb not null,
        entity_rows jsonb,
        range jsonb,
        rows bigint not null,
        columns jsonb not null,
        hash text not null,
        hidden_rows bigint not null,
        stored boolean not null,
        created_at timestamptz not null,
        created_by text not null,
        updated_at timestamptz not null,
        etag text not null,
        primary key (project, training_set)
      )`);
    await runner.query(`
      create table training_sets_history (
        like training_sets,
        from_commit bigint not null,
        from_prepare bigint not null,
        to_commit bigint,
        to_prepare bigint,
        primary key (project, training_set, from_commit, from_prepare)
      )`);
    await runner.query('create index training_sets_history_now on training_sets_history (project, training_set) where to_commit is null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table training_sets_history, training_sets');
  }
}
