import { Refusal, same, type Decide } from '../../kit/index.js';
import type { Baseline, FeatureMonitoringEvent, Monitor } from './events.js';
import type { Expectation } from './expectations.js';
import type { FeatureMonitoring } from './state.js';

type OfGroup = { project: string; group: string };
type MonitoringDecision<Input> = Decide<OfGroup & Input, FeatureMonitoring, FeatureMonitoringEvent>;

/** The same window again is no change: it keeps its place in the log. Another position makes it another baseline. */
export const setFeatureBaseline: MonitoringDecision<Baseline> = ({ project, group, ...baseline }, state) =>
  same(baseline, state.baseline) ? [] : [{ type: 'FeatureBaselineSet', data: { project, group, ...baseline } }];

export const setFeatureMonitor: MonitoringDecision<Monitor> = ({ project, group, ...monitor }, state) => {
  requireBaseline({ project, group }, state);
  return same(monitor, state.monitor) ? [] : [{ type: 'FeatureMonitorSet', data: { project, group, ...monitor } }];
};

export const removeFeatureMonitor: MonitoringDecision<{}> = (input, state) => (state.monitor === null ? [] : [{ type: 'FeatureMonitorRemoved', data: input }]);

/** All expectations of the group at once; an empty list ends them. */
export const setFeatureExpectations: MonitoringDecision<{ expectations: Expectation[] }> = (input, state) =>
  same(input.expectations, state.expectations) ? [] : [{ type: 'FeatureExpectationsSet', data: input }];

/** The baseline of a group; refuses where none was set. */
export function requireBaseline({ group }: OfGroup, { baseline }: FeatureMonitoring): Baseline {
  if (baseline) return baseline;
  throw new Refusal('FAILED_PRECONDITION', `Feature group ${group} has no baseline to be compared with`, { reason: 'NO_BASELINE', metadata: { group } });
}
