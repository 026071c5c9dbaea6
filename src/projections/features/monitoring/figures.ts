import { setImmediate } from 'node:timers/promises';
import type { FeatureSpec } from '../../../domain/features/definition.js';
import { columnOf } from '../../../domain/features/monitoring/columns.js';
import { driftOf, type FeatureDrift } from '../../../domain/features/monitoring/drift.js';
import { figuresOf, scaleOf, type FeatureFigures } from '../../../domain/features/monitoring/figures.js';
import type { RowSample } from '../../../domain/features/monitoring/row-sample.js';
import type { DriftTests } from '../../../domain/features/monitoring/tests.js';

/** The figures of each feature in each window, drawn to one scale a feature. Others have their turn after each feature. */
export async function figuresOfWindows(samples: readonly RowSample[], features: readonly FeatureSpec[], signal?: AbortSignal): Promise<FeatureFigures[][]> {
  const windows = samples.map((sample) => ({ count: sample.rows, rows: sample.chosen(), figures: [] as FeatureFigures[] }));
  for (const [at, { name, type }] of features.entries()) {
    await othersTurn(signal);
    const columns = windows.map(({ rows }) => columnOf(type, rows.map((values) => values[at]!)));
    const scale = scaleOf(columns);
    windows.forEach(({ figures, count }, window) => figures.push(figuresOf({ feature: name, type }, columns[window]!, count, scale)));
  }
  return windows.map(({ figures }) => figures);
}

/** What was sampled of some features. */
interface Sample {
  readonly features: readonly FeatureSpec[];
  readonly sample: RowSample;
}

/** How far each feature of the current window has moved. One that the reference does not have in the same type has no values there. */
export async function driftOfFeatures(reference: Sample, current: Sample, tests: DriftTests, signal?: AbortSignal): Promise<FeatureDrift[]> {
  const [before, now] = [reference, current].map(({ sample }) => ({ count: sample.rows, rows: sample.chosen() })) as [Rows, Rows];
  const drifts: FeatureDrift[] = [];
  for (const [at, { name, type }] of current.features.entries()) {
    await othersTurn(signal);
    const place = reference.features.findIndex((spec) => spec.name === name && spec.type === type);
    const known = columnOf(type, place < 0 ? [] : before.rows.map((values) => values[place]!));
    drifts.push(driftOf({ feature: name, type }, { column: known, rows: before.count }, { column: columnOf(type, now.rows.map((values) => values[at]!)), rows: now.count }, tests));
  }
  return drifts;
}

interface Rows {
  readonly count: number;
  readonly rows: ReturnType<RowSample['chosen']>;
}

/** Sorting and testing a feature may take tens of milliseconds, and there may be a thousand of them. */
async function othersTurn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
