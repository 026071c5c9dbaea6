import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every version of the rows of views that keep their history, and when which place of the log was written. */
export class History implements MigrationInterface {
  readonly name = 'History1767225600014';

  async up(runner: QueryRunner): Promise<void> {
    await historyTable(runner, 'projects', 'project');
    await historyTable(runner, 'feature_groups', 'project, "group"');
    await historyTable(runner, 'feature_services', 'project, service');
    await runner.query(`
      create table log_times (
        commit_position bigint not null,
        prepare_position bigint not null,
        recorded_at timestamptz not null,
        primary key (commit_position, prepare_position)
      )`);
    await runner.query('create index log_times_by_time on log_times (recorded_at, commit_position, prepare_position)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table projects_history, feature_groups_history, feature_services_history, log_times');
  }
}

/** The columns of the table, and the range of positions in which they held. The version of now is found when it ends. */
async function historyTable(runner: QueryRunner, table: string, key: string): Promise<void> {
  await runner.query(`
    create table ${table}_history (
      like ${table},
      from_commit bigint not null,
      from_prepare bigint not null,
      to_commit bigint,
      to_prepare bigint,
      primary key (${key}, from_commit, from_prepare)
    )`);
  await runner.query(`create index ${table}_history_now on ${table}_history (${key}) where to_commit is null`);
}
