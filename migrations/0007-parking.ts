import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The keys of views that wait because an event could not be taken, and the events that wait under them. */
export class Parking implements MigrationInterface {
  readonly name = 'Parking1767225600007';

  async up(runner: QueryRunner): Promise<void> {
    // Changes whenever parked events are taken up again: whoever projects then looks anew which keys are parked.
    await runner.query('alter table projection_checkpoints add column parking integer not null default 0');
    await runner.query(`
      create table projection_parked_keys (
        view text not null,
        shadow boolean not null,
        key text not null,
        error text,
        attempts integer not null default 0,
        parked_at timestamptz not null default clock_timestamp(),
        primary key (view, shadow, key)
      )`);
    await runner.query(`
      create table projection_parked_events (
        view text not null,
        shadow boolean not null,
        key text not null,
        stream text not null,
        revision bigint not null,
        event_id uuid not null,
        event_type text not null,
        commit_position numeric(20) not null,
        prepare_position numeric(20) not null,
        primary key (view, shadow, commit_position, prepare_position)
      )`);
    await runner.query('create index projection_parked_events_by_key on projection_parked_events (view, shadow, key, commit_position, prepare_position)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table projection_parked_events, projection_parked_keys');
    await runner.query('alter table projection_checkpoints drop column parking');
  }
}
