import { z } from 'zod';
import { featureDrift } from '../../../domain/features/monitoring/drift.js';
import { driftTests, standardTests } from '../../../domain/features/monitoring/tests.js';
import { rangeText, someWindows, timeRange, windowOf } from '../../../domain/features/monitoring/window.js';
import { formatPosition } from '../../../platform/eventstore/port.js';
import { defineQuery } from '../../kit/query.js';
import { sharedReplay } from '../history/shared-replay.js';
import { historyInput, historyOf } from './asked.js';
import { driftOfFeatures } from './figures.js';
import { sampleHistory } from './sampling.js';

/** A drift report between two windows of a group's history, made at once from the log and stored nowhere. */
export const measureFeatureDrift = defineQuery({
  name: 'MeasureFeatureDrift',
  summary: 'How far each feature has moved from one window of event time to another; read from the log',
  http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:measureDrift' },
  permission: 'features.read',
  views: [],
  input: z.object({ ...historyInput, reference: timeRange, current: timeRange, tests: driftTests.default(standardTests) }),
  output: z
    .object({
      project: z.string(),
      group: z.string(),
      version: z.int(),
      knownAtPosition: z.string().describe('Asked again with it, the answer is the same.'),
      reference: timeRange,
      current: timeRange,
      drifted: z.int().describe('How many of the features have drifted.'),
      features: z.array(featureDrift),
    })
    .meta({ id: 'DriftReport' }),
  run: async ({ reference, current, tests, ...asked }, { eventStore, signal }) => {
    const { definition, features, known, samples } = await sampleHistory(sharedReplay(eventStore), historyOf(asked), someWindows([windowOf(reference), windowOf(current)]), signal);
    const drifts = await driftOfFeatures({ features, sample: samples[0]! }, { features, sample: samples[1]! }, tests, signal);
    return {
      project: asked.project,
      group: asked.group,
      version: definition.version,
      knownAtPosition: formatPosition(known.position),
      reference: rangeText(reference),
      current: rangeText(current),
      drifted: drifts.filter(({ verdict }) => verdict === 'DRIFTED').length,
      features: drifts,
    };
  },
});
