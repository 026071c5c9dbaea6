import { RowSample } from '../../../domain/features/monitoring/row-sample.js';
import { formatTimeUs, inRange, parseTimeUs } from '../../../domain/features/times.js';
import { columnsOfGroup } from '../../../domain/features/training-sets/columns.js';
import type { SavedTrainingSet } from '../../../domain/features/training-sets/state.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import { parsePosition } from '../../../platform/eventstore/port.js';
import { defaultTimeColumn } from '../history/entity-times.js';
import { historical } from '../history/historical.js';
import type { TrainingSet } from '../history/training-set.js';
import { loadTrainingSet } from '../training-sets/load.js';
import { questionOf } from '../training-sets/question.js';
import { rowsOf } from '../training-sets/rows.js';
import type { BaselineOf, BaselineSources, SampledBaseline } from './baseline.js';
import { mostSampledRows } from './sampling.js';

/** Samples the rows of a saved training set that hold features of a group. Rows of entities that were deleted are left out, whenever that was. */
export async function sampleSavedSet({ replay, contents }: BaselineSources, { project, group }: BaselineOf, name: string, signal?: AbortSignal): Promise<SampledBaseline> {
  const saved = await loadTrainingSet(replay.eventStore, project, name);
  const held = columnsOfGroup(saved.answer.columns, { project, group });
  const sample = new RowSample(held.map(({ feature }) => feature), mostSampledRows);
  const timeColumn = saved.question.entityRows?.timeColumn ?? defaultTimeColumn;
  let [row, earliestUs] = [0, Infinity];
  for await (const table of await tablesOf(saved)) {
    const columnOf = (wanted: string) => table.columns.find((column) => column.name === wanted)!;
    const [times, columns] = [columnOf(timeColumn), held.map((one) => columnOf(one.name))];
    for (let at = 0; at < table.rows; at++, row++) {
      if (table.hidden?.(at)) continue;
      const timeUs = timeOf(times.at(at));
      earliestUs = Math.min(earliestUs, timeUs);
      sample.addNamed(String(row), timeUs, columns.map((column) => column.at(at) as FeatureValue | null));
    }
  }
  if (earliestUs === Infinity) throw new Refusal('FAILED_PRECONDITION', `All entities of training set ${name} have been deleted, so there is nothing to compare with`, { reason: 'TRAINING_SET_EMPTY' });
  return {
    features: held.map(({ feature, type }) => ({ name: feature, type, description: '', constraints: {} })),
    sample,
    position: parsePosition(saved.question.knownAt.position),
    range: { start: formatTimeUs(earliestUs), end: formatTimeUs(sample.latestUs + 1) },
  };

  /** Stored rows do not say which of them a deletion had hidden before they were stored; the log does. */
  async function tablesOf({ answer }: SavedTrainingSet): Promise<AsyncIterable<TrainingSet>> {
    const { tables } = answer.hiddenRows === 0 ? await rowsOf(saved, replay, contents, signal) : await historical(replay, await questionOf(saved, contents), signal);
    return tables;
  }
}

/** Times stand in their column as the caller wrote them: ISO 8601, or microseconds. */
const timeOf = (given: unknown): number => (typeof given === 'string' ? parseTimeUs(given) : inRange(given as number));
