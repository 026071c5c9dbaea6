import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rebuilds that stand still, go on after a crash, compare before they switch, and can be taken back. */
export class Rebuilds implements MigrationInterface {
  readonly name = 'Rebuilds1767225600013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table operations
        add column kind text not null default 'rebuild' check (kind in ('rebuild', 'comparison', 'rollback')),
        add column on_difference text check (on_difference in ('SWITCH', 'STOP')),
        add column paused boolean not null default false,
        add column comparison jsonb`);
    await runner.query('create index operations_compared on operations (view, updated_at) where comparison is not null');
    // A filled build goes on where it is; one made of former tables gives them back when it is called off.
    await runner.query(`
      alter table projection_builds
        add column release text not null default '',
        add column filled boolean not null default false,
        add column former boolean not null default false`);
    await runner.query(`
      create table projection_formers (
        view text primary key,
        version integer not null,
        commit_position numeric(20) not null,
        prepare_position numeric(20) not null,
        replaced_at timestamptz not null default clock_timestamp()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table projection_formers');
    await runner.query('alter table projection_builds drop column release, drop column filled, drop column former');
    await runner.query('drop index operations_compared');
    await runner.query('alter table operations drop column kind, drop column on_difference, drop column paused, drop column comparison');
  }
}
