import type { FeatureSpec } from '../../../domain/features/definition.js';
import { columnOf, type SampledColumn } from '../../../domain/features/monitoring/columns.js';
import { driftOf, type FeatureDrift } from '../../../domain/features/monitoring/drift.js';
import { figuresOf, scaleOf, type FeatureFigures } from '../../../domain/features/monitoring/figures.js';
import type { RowSample } from '../../../domain/features/monitoring/row-sample.js';
import type { DriftTests } from '../../../domain/features/monitoring/tests.js';

/** The figures of each feature in each window, drawn to one scale a feature. */
export function figuresOfWindows(samples: readonly RowSample[], features: readonly FeatureSpec[]): FeatureFigures[][] {
  const columns = samples.map((sample) => columnsOf(sample, features));
  const scales = features.map((_, at) => scaleOf(columns.map((window) => window[at]!)));
  return samples.map(({ rows }, window) => features.map(({ name, type }, at) => figuresOf({ feature: name, type }, columns[window]![at]!, rows, scales[at])));
}

/** How far each feature has moved from one window to another. */
export function driftOfFeatures(reference: RowSample, current: RowSample, features: readonly FeatureSpec[], tests: DriftTests): FeatureDrift[] {
  const [before, now] = [columnsOf(reference, features), columnsOf(current, features)];
  return features.map(({ name, type }, at) => driftOf({ feature: name, type }, { column: before[at]!, rows: reference.rows }, { column: now[at]!, rows: current.rows }, tests));
}

function columnsOf(sample: RowSample, features: readonly FeatureSpec[]): SampledColumn[] {
  const rows = sample.chosen();
  return features.map(({ type }, at) => columnOf(type, rows.map((values) => values[at]!)));
}
