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

/** What was sampled of some features. */
interface Sample {
  readonly features: readonly FeatureSpec[];
  readonly sample: RowSample;
}

/** How far each feature of the current window has moved. One that the reference does not have in the same type has no values there. */
export function driftOfFeatures(reference: Sample, current: Sample, tests: DriftTests): FeatureDrift[] {
  const [before, now] = [columnsOf(reference.sample, reference.features), columnsOf(current.sample, current.features)];
  return current.features.map(({ name, type }, at) => {
    const place = reference.features.findIndex((spec) => spec.name === name && spec.type === type);
    const known = { column: before[place] ?? columnOf(type, []), rows: reference.sample.rows };
    return driftOf({ feature: name, type }, known, { column: now[at]!, rows: current.sample.rows }, tests);
  });
}

function columnsOf(sample: RowSample, features: readonly FeatureSpec[]): SampledColumn[] {
  const rows = sample.chosen();
  return features.map(({ type }, at) => columnOf(type, rows.map((values) => values[at]!)));
}
