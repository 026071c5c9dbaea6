import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each reaction has come. */
export class Reactions implements MigrationInterface {
  readonly name = 'Reactions1767225600006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table reaction_checkpoints (
        reaction text primary key,
        commit_position numeric(20) not null,
        prepare_position numeric(20) not null,
        error text,
        updated_at timestamptz not null default now()
      ) with (fillfactor = 20)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table reaction_checkpoints');
  }
}
