import { z } from 'zod';
import { expectationFinding, judge } from '../../../domain/features/monitoring/expectations.js';
import { moment, someWindows, timeRange, windowOf } from '../../../domain/features/monitoring/window.js';
import { resourceName } from '../../../domain/kit/index.js';
import { formatPosition } from '../../../platform/eventstore/port.js';
import { listInput, listPage, type Listing } from '../../kit/list/page.js';
import { defineQuery } from '../../kit/query.js';
import { sharedReplay } from '../history/shared-replay.js';
import { historyInput, historyOf } from './asked.js';
import { expectationBreachRow } from './breaches-view.js';
import { judgedWindow } from './judged-window.js';
import { monitoringAt } from './monitoring-at.js';
import { sampleHistory } from './sampling.js';

/** What the breaches may be filtered and sorted by. */
const breaches: Listing = {
  table: 'expectation_breaches',
  columns: `project, "group", breach, mode, expectation, kind, feature, holds, observed, "limit", rows::float8, broken::float8, reason, command_id as "commandId", "window", recorded_at as "recordedAt", actor`,
  name: `("group" || '/' || breach)`,
  fields: {
    group: { sql: '"group"', kind: 'text' },
    expectation: { sql: 'expectation', kind: 'text' },
    kind: { sql: 'kind', kind: 'text' },
    feature: { sql: `coalesce(feature, '')`, kind: 'text' },
    recordedAt: { sql: 'recorded_at', kind: 'time' },
  },
  search: `concat_ws(' ', "group", expectation, kind, feature, reason)`,
  order: { expectation: { sql: 'expectation', type: 'text' }, recordedAt: { sql: 'recorded_at', type: 'timestamptz' } },
};

export const expectationQueries = [
  defineQuery({
    name: 'CheckFeatureExpectations',
    summary: 'Whether a window of a group fulfils its expectations; read from the log',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-groups/{group}/expectations' },
    permission: 'features.read',
    views: [],
    input: z.object({ ...historyInput, start: moment, end: moment }).superRefine(({ start, end }, context) => {
      if (!timeRange.safeParse({ start, end }).success) context.addIssue({ code: 'custom', path: ['end'], message: 'is not after the start' });
    }),
    output: z.object({ project: z.string(), group: z.string(), knownAtPosition: z.string(), rows: z.int(), findings: z.array(expectationFinding) }).meta({ id: 'ExpectationFindings' }),
    run: async ({ start, end, ...asked }, { eventStore, signal }) => {
      const window = windowOf({ start, end });
      const { features, samples, known } = await sampleHistory(sharedReplay(eventStore), historyOf(asked), someWindows([window]), signal);
      const { expectations } = await monitoringAt(eventStore, asked.project, asked.group, known.position, signal);
      const judged = judgedWindow({ features, sample: samples[0]! }, window);
      const findings = expectations.map((expectation) => judge(expectation, judged)).filter((finding) => finding !== undefined);
      return { project: asked.project, group: asked.group, knownAtPosition: formatPosition(known.position), rows: judged.rows, findings };
    },
  }),
  defineQuery({
    name: 'ListExpectationBreaches',
    summary: 'The broken expectations of a project, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/expectation-breaches' },
    permission: 'features.read',
    views: ['expectation-breaches'],
    input: z.object({ project: resourceName, ...listInput(breaches) }),
    output: z.object({ expectationBreaches: z.array(expectationBreachRow), nextPageToken: z.string() }).meta({ id: 'ExpectationBreachList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, breaches, project, request);
      return { expectationBreaches: rows, nextPageToken };
    },
  }),
] as const;
