import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The shares of a project's own groups are found without looking at those of others. */
export class SharesByOwner implements MigrationInterface {
  readonly name = 'SharesByOwner1767225600036';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ['feature_group_shares', 'feature_group_shares_history']) await runner.query(`create index ${table}_by_owner on ${table} (owner, "group")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['feature_group_shares', 'feature_group_shares_history']) await runner.query(`drop index ${table}_by_owner`);
  }
}
