import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A view may be split by key into slices, each with a checkpoint of its own. */
export class Slices implements MigrationInterface {
  readonly name = 'Slices1767225600012';

  async up(runner: QueryRunner): Promise<void> {
    // `slices` is how many the view has; it is the same in all rows of the view.
    await runner.query(`
      alter table projection_checkpoints
        add column slice integer not null default 0,
        add column slices integer not null default 1,
        add check (slice between 0 and slices - 1),
        drop constraint projection_checkpoints_pkey,
        add primary key (view, slice)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    // A view whose slices stand at different places cannot be told in one row, so it is built anew.
    await runner.query(`delete from projection_checkpoints where slices > 1`);
    await runner.query('alter table projection_checkpoints drop constraint projection_checkpoints_pkey, drop column slice, drop column slices, add primary key (view)');
  }
}
