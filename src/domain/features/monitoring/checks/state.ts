import { defineDecider } from '../../../kit/index.js';
import { driftCheckEvents, type DriftCheckRequest } from './events.js';

/** How a drift check stands, and what has been measured so far. */
export type DriftCheck =
  | { readonly status: 'absent' }
  | { readonly status: 'requested' | 'completed' | 'failed'; readonly request: DriftCheckRequest; readonly measured: readonly string[] };

const to = (state: DriftCheck, status: 'completed' | 'failed'): DriftCheck => (state.status === 'absent' ? state : { ...state, status });

export const driftCheck = defineDecider({
  category: 'feature_drift_check',
  events: driftCheckEvents,
  initialState: { status: 'absent' } as DriftCheck,
  on: {
    FeatureDriftCheckRequested: (_, { project: _project, group: _group, check: _check, ...request }): DriftCheck => ({ status: 'requested', request, measured: [] }),
    FeatureDriftMeasured: (state, { drift }): DriftCheck => (state.status === 'absent' ? state : { ...state, measured: [...state.measured, drift.feature] }),
    FeatureDriftCheckCompleted: (state): DriftCheck => to(state, 'completed'),
    FeatureDriftCheckFailed: (state): DriftCheck => to(state, 'failed'),
  },
});
