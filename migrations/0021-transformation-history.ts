import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every version of the rows of the view `transformations`. */
export class TransformationHistory implements MigrationInterface {
  readonly name = 'TransformationHistory1767225600021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table transformations_history (
        like transformations,
        from_commit bigint not null,
        from_prepare bigint not null,
        to_commit bigint,
        to_prepare bigint,
        primary key (project, transformation, from_commit, from_prepare)
      )`);
    await runner.query('create index transformations_history_now on transformations_history (project, transformation) where to_commit is null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table transformations_history');
  }
}
