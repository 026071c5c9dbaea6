import { z } from 'zod';
import { expectationBreach, featureExpectationBreached, recordExpectationBreach } from '../domain/features/monitoring/breaches/breach.js';
import { completeDriftCheck, failDriftCheck, recordFeatureDrifts, requestDriftCheck } from '../domain/features/monitoring/checks/decisions.js';
import { driftCheckEvents, driftCheckRequest } from '../domain/features/monitoring/checks/events.js';
import { driftCheck } from '../domain/features/monitoring/checks/state.js';
import { featureDrift } from '../domain/features/monitoring/drift.js';
import { timeRange } from '../domain/features/monitoring/window.js';
import { driftCheckStream, expectationBreachStream } from '../domain/features/streams.js';
import { resourceName } from '../domain/kit/index.js';
import { defineInnerCommand } from './kit/command.js';

const ofCheck = {
  permission: 'features.monitor',
  decider: driftCheck,
  stream: ({ project, group, check }: { project: string; group: string; check: string }) => driftCheckStream(project, group, check),
} as const;

const name = { project: resourceName, group: resourceName, check: resourceName };
const [, , completed] = driftCheckEvents;

/** Asks for the check that the schedule of a group brings at a moment. */
export const runScheduledDriftCheckCommand = defineInnerCommand({ ...ofCheck, name: 'RunScheduledDriftCheck', input: z.object({ ...name, ...driftCheckRequest.shape }), decide: requestDriftCheck, creates: true });

/** Notes how far some of the features have moved. */
export const recordFeatureDriftsCommand = defineInnerCommand({ ...ofCheck, name: 'RecordFeatureDrifts', input: z.object({ ...name, window: timeRange, drifts: z.array(featureDrift) }), decide: recordFeatureDrifts });

/** Notes that all that was asked of a check has been measured. */
export const completeDriftCheckCommand = defineInnerCommand({ ...ofCheck, name: 'CompleteDriftCheck', input: completed.data, decide: completeDriftCheck });

/** Notes that a check cannot be made, and why. */
export const failDriftCheckCommand = defineInnerCommand({ ...ofCheck, name: 'FailDriftCheck', input: z.object({ ...name, reason: z.string() }), decide: failDriftCheck });

/** Notes that rows broke an expectation. */
export const recordExpectationBreachCommand = defineInnerCommand({
  permission: 'features.monitor',
  decider: expectationBreach,
  stream: ({ project, group, breach }: { project: string; group: string; breach: string }) => expectationBreachStream(project, group, breach),
  name: 'RecordExpectationBreach',
  input: featureExpectationBreached.data,
  decide: recordExpectationBreach,
  creates: true,
  // Its rows were written while the project was active, and that they broke something is told after its end too.
  inActiveProject: false,
});
