import type { FeatureSpec } from '../../../domain/features/definition.js';
import type { Baseline } from '../../../domain/features/monitoring/events.js';
import { RowSample } from '../../../domain/features/monitoring/row-sample.js';
import { someWindows, windowOf } from '../../../domain/features/monitoring/window.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import { parsePosition, type Position } from '../../../platform/eventstore/port.js';
import { historical } from '../history/historical.js';
import type { Replay } from '../history/replay.js';
import { mostSampledRows, sampleHistory } from './sampling.js';

/** Features of which a sample was taken. */
export interface SampledFeatures {
  readonly features: readonly FeatureSpec[];
  readonly sample: RowSample;
  readonly position: Position;
}

/** Of which group, and where the event stands that set the baseline. */
export interface BaselineOf {
  readonly project: string;
  readonly group: string;
  readonly setAt: Position;
}

/** Samples what a group is compared with: the same rows whenever it is asked, whatever has been written since. */
export async function sampleBaseline(replay: Replay, of: BaselineOf, baseline: Baseline, signal?: AbortSignal): Promise<SampledFeatures> {
  const position = baseline.knownAtPosition === null ? of.setAt : parsePosition(baseline.knownAtPosition);
  if (baseline.service !== null) return sampleTrainingSet(replay, of, { ...baseline, service: baseline.service }, position, signal);
  const { features, samples } = await sampleHistory(replay, { ...of, features: [], known: { position } }, someWindows([windowOf(baseline)]), signal);
  return { features, sample: samples[0]!, position };
}

/** A service's training set of all entities in the window: each row has the features as they were known at its time. */
async function sampleTrainingSet(replay: Replay, { project, group }: BaselineOf, baseline: Baseline & { service: string }, position: Position, signal?: AbortSignal): Promise<SampledFeatures> {
  const { startUs, endUs } = windowOf(baseline);
  const question = { project, service: baseline.service, features: [], aliases: [], fullNames: true, known: { position }, rows: { startUs, endUs: endUs - 1 } };
  const { tables } = await historical(replay, question, signal);
  let features: FeatureSpec[] = [];
  let sample: RowSample | undefined;
  let row = 0;
  for await (const table of tables) {
    const columns = table.columns.filter(({ name, type }) => type !== undefined && nameWithin(group, name) !== undefined);
    features = columns.map(({ name, type }) => ({ name: nameWithin(group, name)!, type: type!, description: '', constraints: {} }));
    sample ??= new RowSample(features.map(({ name }) => name), mostSampledRows);
    for (let at = 0; at < table.rows; at++) sample.addNamed(String(row++), startUs, columns.map((column) => column.at(at) as FeatureValue | null));
  }
  return { features, sample: sample ?? new RowSample([], mostSampledRows), position };
}

/** `delay` for `airports__delay` or `airports@2__delay`; undefined for what is of another group. */
function nameWithin(group: string, column: string): string | undefined {
  const [, named, feature] = /^([a-z][a-z0-9_]*?)(?:@\d+)?__([a-z].*)$/.exec(column) ?? [];
  return column.startsWith(`${group}__`) ? column.slice(group.length + 2) : named === group ? feature : undefined;
}
