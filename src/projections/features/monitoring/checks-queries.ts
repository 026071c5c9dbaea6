import { z } from 'zod';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { asOfInput, rowsAt } from '../../kit/as-of.js';
import { listInput, listPage, type Listing } from '../../kit/list/page.js';
import { defineQuery } from '../../kit/query.js';
import { driftCheckRow, measuredDriftRow } from './checks-view.js';

const checkColumns = `project, "group", "check", status, reference, current, tests, tick, version::float8, known_at_position as "knownAtPosition",
  reference_rows::float8 as "referenceRows", current_rows::float8 as "currentRows", measured::float8, drifted, broken, reason,
  requested_at as "requestedAt", requested_by as "requestedBy", ended_at as "endedAt"`;
const driftColumns = `project, "group", "check", feature, window_start as "windowStart", window_end as "windowEnd", test, statistic, p_value as "pValue", threshold, verdict, reason, reference, current`;

/** What the checks may be filtered and sorted by. */
const checks: Listing = {
  table: 'feature_drift_checks',
  columns: checkColumns,
  name: `("group" || '/' || "check")`,
  fields: {
    group: { sql: '"group"', kind: 'text' },
    check: { sql: '"check"', kind: 'text' },
    status: { sql: 'status', kind: 'text' },
    requestedAt: { sql: 'requested_at', kind: 'time' },
  },
  search: `concat_ws(' ', "group", "check", status, reason, (select string_agg(feature, ' ') from jsonb_array_elements_text(drifted) as feature))`,
  order: { check: { sql: '"check"', type: 'text' }, requestedAt: { sql: 'requested_at', type: 'timestamptz' } },
};

/** What the measured features may be filtered and sorted by. */
const drifts: Listing = {
  table: 'feature_drifts',
  columns: driftColumns,
  name: `("group" || '/' || "check" || '/' || feature)`,
  fields: {
    group: { sql: '"group"', kind: 'text' },
    check: { sql: '"check"', kind: 'text' },
    feature: { sql: 'feature', kind: 'text' },
    test: { sql: 'test', kind: 'text' },
    verdict: { sql: 'verdict', kind: 'text' },
    windowStart: { sql: 'window_start', kind: 'time' },
  },
  search: `concat_ws(' ', "group", "check", feature, test, verdict, reason)`,
  order: { feature: { sql: 'feature', type: 'text' }, windowStart: { sql: 'window_start', type: 'timestamptz' } },
};

export const driftCheckQueries = [
  defineQuery({
    name: 'GetDriftCheck',
    summary: 'One drift check, with the figures of every feature',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-groups/{group}/drift-checks/{check}' },
    permission: 'features.read',
    views: ['feature-drift-checks', 'feature-drifts'],
    input: z.object({ project: resourceName, group: resourceName, check: resourceName, ...asOfInput }),
    output: z.object({ ...driftCheckRow.shape, features: z.array(measuredDriftRow) }).meta({ id: 'DriftCheckFigures' }),
    run: async ({ project, group, check, asOf }, { pool }) => {
      const key = [project, group, check];
      const [{ rows }, { rows: features }] = await Promise.all([
        pool.query(`select ${checkColumns} from ${rowsAt('feature_drift_checks', asOf)} where project = $1 and "group" = $2 and "check" = $3`, key),
        pool.query(`select ${driftColumns} from ${rowsAt('feature_drifts', asOf)} where project = $1 and "group" = $2 and "check" = $3 order by feature`, key),
      ]);
      if (rows.length > 0) return { ...rows[0], features };
      throw new Refusal('NOT_FOUND', `Drift check ${check} of ${group} does not exist in project ${project}`, { reason: 'DRIFT_CHECK_NOT_FOUND', metadata: { check } });
    },
  }),
  defineQuery({
    name: 'ListDriftChecks',
    summary: 'The drift checks of a project, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/drift-checks' },
    permission: 'features.read',
    views: ['feature-drift-checks'],
    input: z.object({ project: resourceName, ...listInput(checks), ...asOfInput }),
    output: z.object({ driftChecks: z.array(driftCheckRow), nextPageToken: z.string() }).meta({ id: 'DriftCheckList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, checks, project, request);
      return { driftChecks: rows, nextPageToken };
    },
  }),
  defineQuery({
    name: 'ListMeasuredDrifts',
    summary: 'How far features have moved, check by check: filtered by group and feature and sorted by window, it is a line to be drawn',
    http: { method: 'GET', path: '/api/v1/projects/{project}/measured-drifts' },
    permission: 'features.read',
    views: ['feature-drifts'],
    input: z.object({ project: resourceName, ...listInput(drifts), ...asOfInput }),
    output: z.object({ measuredDrifts: z.array(measuredDriftRow), nextPageToken: z.string() }).meta({ id: 'MeasuredDriftList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, drifts, project, request);
      return { measuredDrifts: rows, nextPageToken };
    },
  }),
] as const;
