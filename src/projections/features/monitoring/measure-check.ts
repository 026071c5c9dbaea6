import type { DriftCheckRequest } from '../../../domain/features/monitoring/checks/events.js';
import { requireBaseline } from '../../../domain/features/monitoring/decisions.js';
import type { FeatureDrift } from '../../../domain/features/monitoring/drift.js';
import { judge, type Expectation, type ExpectationFinding } from '../../../domain/features/monitoring/expectations.js';
import { rangeText, someWindows, windowOf, type TimeRange } from '../../../domain/features/monitoring/window.js';
import { parsePosition, type Position } from '../../../platform/eventstore/port.js';
import { sampleBaseline, type BaselineSources, type SampledFeatures } from './baseline.js';
import { driftOfFeatures } from './figures.js';
import { judgedWindow } from './judged-window.js';
import { monitoringAt } from './monitoring-at.js';
import { sampleHistory } from './sampling.js';

/** A check as it stands in the log. */
export interface AskedCheck {
  readonly project: string;
  readonly group: string;
  readonly request: DriftCheckRequest;
  /** Where its request stands: what was written later is not known to it. */
  readonly position: Position;
}

/** What a check has found. */
export interface MeasuredCheck {
  readonly version: number;
  readonly reference: TimeRange;
  readonly current: TimeRange;
  readonly position: Position;
  readonly referenceRows: number;
  readonly currentRows: number;
  readonly drifts: readonly FeatureDrift[];
  readonly broken: readonly { readonly expectation: Expectation; readonly finding: ExpectationFinding }[];
}

/** Makes a check by replay of the log. Made again it finds the same. */
export async function measureCheck(sources: BaselineSources, { project, group, request, position: asked }: AskedCheck, signal?: AbortSignal): Promise<MeasuredCheck> {
  const { replay } = sources;
  const position = request.knownAtPosition === null ? asked : parsePosition(request.knownAtPosition);
  const window = windowOf(request.current);
  const windows = [window, ...(request.reference ? [windowOf(request.reference)] : [])];
  const { definition, features, samples } = await sampleHistory(replay, { project, group, features: request.features, known: { position } }, someWindows(windows), signal);
  const watched = await monitoringAt(replay.eventStore, project, group, asked, signal);
  const current: SampledFeatures = { features, sample: samples[0]!, position };
  const baseline = request.reference ? undefined : requireBaseline({ project, group }, watched);
  const reference = baseline
    ? await sampleBaseline(sources, { project, group, setAt: watched.baselinePosition! }, baseline, signal)
    : { ...current, sample: samples[1]!, range: request.reference! };
  const judged = judgedWindow(current, window);
  return {
    version: definition.version,
    reference: rangeText(reference.range),
    current: rangeText(request.current),
    position,
    referenceRows: reference.sample.rows,
    currentRows: current.sample.rows,
    drifts: await driftOfFeatures(reference, current, request.tests, signal),
    broken: watched.expectations.flatMap((expectation) => {
      const finding = judge(expectation, judged);
      return finding && !finding.holds ? [{ expectation, finding }] : [];
    }),
  };
}
