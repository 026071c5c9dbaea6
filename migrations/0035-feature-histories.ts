import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every version of the rows of pipelines and their runs, of drift checks and what they measured, and of shares. */
export class FeatureHistories implements MigrationInterface {
  readonly name = 'FeatureHistories1767225600035';

  async up(runner: QueryRunner): Promise<void> {
    await historyTable(runner, 'pipelines', 'project, pipeline');
    await historyTable(runner, 'pipeline_runs', 'project, pipeline, run');
    await historyTable(runner, 'feature_drift_checks', 'project, "group", "check"');
    await historyTable(runner, 'feature_drifts', 'project, "group", "check", feature');
    await historyTable(runner, 'feature_group_shares', 'project, name');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table pipelines_history, pipeline_runs_history, feature_drift_checks_history, feature_drifts_history, feature_group_shares_history');
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
