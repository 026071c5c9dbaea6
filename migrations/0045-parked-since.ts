import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where in the log the first event stands that a parked key waits for; of keys parked by an earlier release, nothing came before it. */
export class ParkedSince implements MigrationInterface {
  readonly name = 'ParkedSince1767225600045';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table projection_parked_keys
        add column since_commit numeric(20) not null default -1,
        add column since_prepare numeric(20) not null default -1`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table projection_parked_keys drop column since_commit, drop column since_prepare');
  }
}
