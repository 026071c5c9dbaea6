import { defineDecider } from '../../kit/index.js';
import { featureMonitoringEvents, type Baseline, type Monitor } from './events.js';
import type { Expectation } from './expectations.js';

/** What is watched of a group. */
export interface FeatureMonitoring {
  readonly baseline: Baseline | null;
  readonly monitor: Monitor | null;
  readonly expectations: readonly Expectation[];
}

const initialState: FeatureMonitoring = { baseline: null, monitor: null, expectations: [] };

export const featureMonitoring = defineDecider({
  category: 'feature_monitoring',
  events: featureMonitoringEvents,
  initialState,
  on: {
    FeatureBaselineSet: (state, { project: _project, group: _group, ...baseline }): FeatureMonitoring => ({ ...state, baseline }),
    FeatureMonitorSet: (state, { project: _project, group: _group, ...monitor }): FeatureMonitoring => ({ ...state, monitor }),
    FeatureMonitorRemoved: (state): FeatureMonitoring => ({ ...state, monitor: null }),
    FeatureExpectationsSet: (state, { expectations }): FeatureMonitoring => ({ ...state, expectations }),
  },
});
