import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The rows of the views `feature-monitoring`, `feature-drift-checks`, `feature-drifts` and `expectation-breaches`. */
export class FeatureMonitoring implements MigrationInterface {
  readonly name = 'FeatureMonitoring1767225600018';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table feature_monitoring (
        project text not null,
        "group" text not null,
        baseline jsonb,
        monitor jsonb,
        monitor_since timestamptz,
        expectations jsonb not null,
        updated_at timestamptz not null,
        etag text not null,
        primary key (project, "group")
      )`);
    await runner.query(`
      create table feature_monitoring_history (
        like feature_monitoring,
        from_commit bigint not null,
        from_prepare bigint not null,
        to_commit bigint,
        to_prepare bigint,
        primary key (project, "group", from_commit, from_prepare)
      )`);
    await runner.query('create index feature_monitoring_history_now on feature_monitoring_history (project, "group") where to_commit is null');
    await runner.query(`
      create table feature_drift_checks (
        project text not null,
        "group" text not null,
        "check" text not null,
        status text not null,
        reference jsonb,
        current jsonb not null,
        tests jsonb not null,
        tick timestamptz,
        version bigint,
        known_at_position text,
        reference_rows bigint,
        current_rows bigint,
        measured bigint,
        drifted jsonb not null,
        broken jsonb not null,
        reason text,
        requested_at timestamptz not null,
        requested_by text not null,
        ended_at timestamptz,
        primary key (project, "group", "check")
      )`);
    await runner.query('create index feature_drift_checks_newest on feature_drift_checks (project, requested_at)');
    await runner.query('create index feature_drift_checks_ticks on feature_drift_checks (project, "group", tick) where tick is not null');
    await runner.query(`
      create table feature_drifts (
        project text not null,
        "group" text not null,
        "check" text not null,
        feature text not null,
        window_start timestamptz not null,
        window_end timestamptz not null,
        test text not null,
        statistic double precision,
        p_value double precision,
        threshold double precision,
        verdict text not null,
        reason text not null,
        reference jsonb not null,
        current jsonb not null,
        primary key (project, "group", "check", feature)
      )`);
    await runner.query('create index feature_drifts_by_feature on feature_drifts (project, "group", feature, window_start)');
    await runner.query(`
      create table expectation_breaches (
        project text not null,
        "group" text not null,
        breach text not null,
        mode text not null,
        expectation text not null,
        kind text not null,
        feature text,
        holds boolean not null,
        observed double precision,
        "limit" double precision not null,
        rows bigint not null,
        broken bigint not null,
        reason text not null,
        command_id text,
        "window" jsonb,
        recorded_at timestamptz not null,
        actor text not null,
        primary key (project, "group", breach)
      )`);
    await runner.query('create index expectation_breaches_newest on expectation_breaches (project, recorded_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table feature_monitoring, feature_monitoring_history, feature_drift_checks, feature_drifts, expectation_breaches');
  }
}
