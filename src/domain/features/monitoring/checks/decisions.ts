import { Refusal, same, type Decide } from '../../../kit/index.js';
import type { FeatureDrift } from '../drift.js';
import type { TimeRange } from '../window.js';
import type { DriftCheckEvent, DriftCheckRequest } from './events.js';
import type { DriftCheck } from './state.js';

type OfCheck = { project: string; group: string; check: string };
type CheckDecision<Input> = Decide<OfCheck & Input, DriftCheck, DriftCheckEvent>;
type Completed = Extract<DriftCheckEvent, { type: 'FeatureDriftCheckCompleted' }>['data'];

/** The same check asked for again is the same wish, whatever has become of it. */
export const requestDriftCheck: CheckDecision<DriftCheckRequest> = (input, state) => {
  if (state.status === 'absent') return [{ type: 'FeatureDriftCheckRequested', data: input }];
  const { project: _project, group: _group, check, ...request } = input;
  if (same(request, state.request)) return [];
  throw new Refusal('ALREADY_EXISTS', `Drift check ${check} was made of something else`, { reason: 'DRIFT_CHECK_EXISTS' });
};

/** What was measured already is not told again. */
export const recordFeatureDrifts: CheckDecision<{ window: TimeRange; drifts: FeatureDrift[] }> = ({ drifts, ...of }, state) => {
  const { measured } = requireRunning(of, state);
  return drifts.filter(({ feature }) => !measured.includes(feature)).map((drift) => ({ type: 'FeatureDriftMeasured', data: { ...of, drift } }));
};

export const completeDriftCheck: CheckDecision<Omit<Completed, keyof OfCheck>> = (input, state) => {
  if (state.status === 'completed') return [];
  requireRunning(input, state);
  return [{ type: 'FeatureDriftCheckCompleted', data: input }];
};

export const failDriftCheck: CheckDecision<{ reason: string }> = (input, state) => (state.status === 'requested' ? [{ type: 'FeatureDriftCheckFailed', data: input }] : []);

function requireRunning({ check }: OfCheck, state: DriftCheck): Exclude<DriftCheck, { status: 'absent' }> {
  if (state.status === 'requested') return state;
  throw new Refusal('FAILED_PRECONDITION', `Drift check ${check} is ${state.status}`, { reason: 'DRIFT_CHECK_NOT_RUNNING' });
}
