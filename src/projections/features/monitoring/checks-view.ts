import { z } from 'zod';
import { driftCheckEvents } from '../../../domain/features/monitoring/checks/events.js';
import { verdicts } from '../../../domain/features/monitoring/drift.js';
import { featureFigures } from '../../../domain/features/monitoring/figures.js';
import { driftTests, measuredTests } from '../../../domain/features/monitoring/tests.js';
import { timeRange } from '../../../domain/features/monitoring/window.js';
import { defineView } from '../../engine/define.js';

const count = z.int().nullable();

/** One drift check: what was asked, and what came of it. */
export const driftCheckRow = z
  .object({
    project: z.string(),
    group: z.string(),
    check: z.string(),
    status: z.enum(['REQUESTED', 'COMPLETED', 'FAILED']).meta({ id: 'DriftCheckStatus' }),
    reference: timeRange.nullable(),
    current: timeRange,
    tests: driftTests,
    tick: z.iso.datetime().nullable().describe('The moment of the schedule that brought it.'),
    version: count,
    knownAtPosition: z.string().nullable().describe('Asked again with it, the check gives the same.'),
    referenceRows: count,
    currentRows: count,
    measured: count.describe('How many features were compared.'),
    drifted: z.array(z.string()).describe('The features that have drifted.'),
    broken: z.array(z.string()).describe('The expectations that the window breaks.'),
    reason: z.string().nullable().describe('Why it failed.'),
    requestedAt: z.iso.datetime(),
    requestedBy: z.string(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'DriftCheck' });

/** One row a drift check. */
export const driftChecksView = defineView({
  name: 'feature-drift-checks',
  version: 2,
  table: 'feature_drift_checks',
  history: true,
  row: driftCheckRow,
  key: ['project', 'group', 'check'],
  events: driftCheckEvents,
  keyOf: ({ data }) => ({ project: data.project, group: data.group, check: data.check }),
  on: {
    FeatureDriftCheckRequested: (_, { features: _features, ...data }, { recordedAt, actor }) => ({
      ...data, status: 'REQUESTED' as const, version: null, referenceRows: null, currentRows: null, measured: null, drifted: [], broken: [], reason: null, requestedAt: recordedAt, requestedBy: actor, endedAt: null,
    }),
    FeatureDriftCheckCompleted: (row, data, { recordedAt }) => row && { ...row, ...data, status: 'COMPLETED' as const, endedAt: recordedAt },
    FeatureDriftCheckFailed: (row, { reason }, { recordedAt }) => row && { ...row, status: 'FAILED' as const, reason, endedAt: recordedAt },
  },
});

/** How far one feature has moved in one check. */
export const measuredDriftRow = z
  .object({
    project: z.string(),
    group: z.string(),
    check: z.string(),
    feature: z.string(),
    windowStart: z.iso.datetime(),
    windowEnd: z.iso.datetime(),
    test: z.enum(measuredTests).meta({ id: 'DriftTest' }),
    statistic: z.number().nullable(),
    pValue: z.number().nullable(),
    threshold: z.number().nullable(),
    verdict: z.enum(verdicts).meta({ id: 'DriftVerdict' }),
    reason: z.string(),
    reference: featureFigures,
    current: featureFigures,
  })
  .meta({ id: 'MeasuredDrift' });

/** One row a feature of a drift check, so that a feature can be followed from window to window. */
export const measuredDriftsView = defineView({
  name: 'feature-drifts',
  version: 2,
  table: 'feature_drifts',
  history: true,
  row: measuredDriftRow,
  key: ['project', 'group', 'check', 'feature'],
  events: [driftCheckEvents[1]],
  keyOf: ({ data: { project, group, check, drift } }) => ({ project, group, check, feature: drift.feature }),
  on: { FeatureDriftMeasured: (_, { project, group, check, window, drift }) => ({ project, group, check, windowStart: window.start, windowEnd: window.end, ...drift }) },
});
