import { z } from 'zod';
import { featureExpectationBreached } from '../../../domain/features/monitoring/breaches/breach.js';
import { expectationFinding, expectationModes } from '../../../domain/features/monitoring/expectations.js';
import { timeRange } from '../../../domain/features/monitoring/window.js';
import { defineView } from '../../engine/define.js';

/** One broken expectation, by a write or by a window. */
export const expectationBreachRow = z
  .object({
    project: z.string(),
    group: z.string(),
    breach: z.string(),
    mode: z.enum(expectationModes).meta({ id: 'ExpectationMode' }),
    ...expectationFinding.shape,
    commandId: z.string().nullable().describe('The write that broke it.'),
    window: timeRange.nullable().describe('The window that broke it.'),
    recordedAt: z.iso.datetime(),
    actor: z.string(),
  })
  .meta({ id: 'ExpectationBreach' });

/** One row a broken expectation. */
export const expectationBreachesView = defineView({
  name: 'expectation-breaches',
  version: 1,
  table: 'expectation_breaches',
  row: expectationBreachRow,
  key: ['project', 'group', 'breach'],
  events: [featureExpectationBreached],
  keyOf: ({ data: { project, group, breach } }) => ({ project, group, breach }),
  on: { FeatureExpectationBreached: (_, { finding, ...data }, { recordedAt, actor }) => ({ ...data, ...finding, recordedAt, actor }) },
});
