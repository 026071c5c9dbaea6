import type { FeatureSpec } from '../../../domain/features/definition.js';
import type { Baseline } from '../../../domain/features/monitoring/events.js';
import { RowSample } from '../../../domain/features/monitoring/row-sample.js';
import { someWindows, windowOf, type TimeRange } from '../../../domain/features/monitoring/window.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import type { Contents } from '../../../platform/contents.js';
import { parsePosition, type Position } from '../../../platform/eventstore/port.js';
import { historical } from '../history/historical.js';
import type { Replay } from '../history/replay.js';
import { sampleSavedSet } from './saved-baseline.js';
import { mostSampledRows, sampleHistory } from './sampling.js';

/** Features of which a sample was taken. */
export interface SampledFeatures {
  readonly features: readonly FeatureSpec[];
  readonly sample: RowSample;
  readonly position: Position;
}

/** A sampled baseline, and where in time its rows lie. */
export interface SampledBaseline extends SampledFeatures {
  readonly range: TimeRange;
}

/** Where baselines are read from. */
export interface BaselineSources {
  readonly replay: Replay;
  /** The rows of saved training sets. */
  readonly contents: Contents;
}

/** Of which group, and where the event stands that set the baseline. */
export interface BaselineOf {
  readonly project: string;
  readonly group: string;
  readonly setAt: Position;
}

/** Samples what a group is compared with: the same rows whenever it is asked, whatever has been written since. */
export async function sampleBaseline({ replay, contents }: BaselineSources, of: BaselineOf, { start, end, service, trainingSet, knownAtPosition }: Baseline, signal?: AbortSignal): Promise<SampledBaseline> {
  if (trainingSet !== null) return sampleSavedSet({ replay, contents }, of, trainingSet, signal);
  const range = { start: start!, end: end! };
  const position = knownAtPosition === null ? of.setAt : parsePosition(knownAtPosition);
  if (service !== null) return { ...(await sampleTrainingSet(replay, of, { ...range, service }, position, signal)), range };
  const { features, samples } = await sampleHistory(replay, { ...of, features: [], known: { position } }, someWindows([windowOf(range)]), signal);
  return { features, sample: samples[0]!, position, range };
}

/** A service's training set of all entities in the window: each row has the features as they were known at its time. */
async function sampleTrainingSet(replay: Replay, { project, group }: BaselineOf, { service, ...range }: TimeRange & { service: string }, position: Position, signal?: AbortSignal): Promise<SampledFeatures> {
  const { startUs, endUs } = windowOf(range);
  const question = { project, service, features: [], aliases: [], fullNames: true, known: { position }, rows: { startUs, endUs: endUs - 1 } };
  const { tables } = await historical(replay, question, signal);
  let features: FeatureSpec[] = [];
  let sample: RowSample | undefined;
  let row = 0;
  for await (const table of tables) {
    const columns = table.columns.filter(({ name, type }) => type !== undefined && nameWithin(group, name) !== undefined);
    features = columns.map(({ name, type }) => ({ name: nameWithin(group, name)!, type: type!, description: '', constraints: {} }));
    sample ??= new RowSample(features.map(({ name }) => name), mostSampledRows);
    for (let at = 0; at < table.rows; at++) if (!table.hidden?.(at)) sample.addNamed(String(row++), startUs, columns.map((column) => column.at(at) as FeatureValue | null));
  }
  return { features, sample: sample ?? new RowSample([], mostSampledRows), position };
}

/** `delay` for `airports__delay` or `airports@2__delay`; undefined for what is of another group. */
function nameWithin(group: string, column: string): string | undefined {
  const [, named, feature] = /^([a-z][a-z0-9_]*?)(?:@\d+)?__([a-z].*)$/.exec(column) ?? [];
  return column.startsWith(`${group}__`) ? column.slice(group.length + 2) : named === group ? feature : undefined;
}
