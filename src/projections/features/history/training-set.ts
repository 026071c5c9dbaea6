import type { FeatureType, FeatureValue } from '../../../domain/features/values.js';
import { PointInTimeJoin } from './join.js';
import type { Pinned } from './pinned.js';
import { reading } from './reading.js';
import type { Replay } from './replay.js';
import { momentsOf, type RequestTable } from './request-table.js';
import type { Plan } from './selection.js';
import { deletedStatus } from '../online/status.js';
import { shownCells } from '../transformations/shown.js';
import { windowReaders, windowValues } from '../windows/history.js';
import { tell } from './tell.js';

/** One column of a training set: a feature, or a column of the request, which may have no type. */
export interface TrainingColumn {
  readonly name: string;
  readonly type?: FeatureType;
  /** The number of elements that each of its lists has, where the feature demands one. */
  readonly dimensions?: number;
  at(row: number): unknown;
}

/** One output row for each row of the request, in its order. */
export interface TrainingSet {
  readonly rows: number;
  readonly columns: readonly TrainingColumn[];
  /** Whether a row lacks values because their entity was deleted after they counted as known; left out where none can. */
  hidden?(row: number): boolean;
}

/** A table without rows, so that an answer without any still says its columns. */
export const withoutRows = (columns: readonly Omit<TrainingColumn, 'at'>[]): TrainingSet => ({ rows: 0, columns: columns.map((column) => ({ ...column, at: () => null })) });

/** The bounds of a pinned read. */
export type PinnedAt = Pick<Pinned, 'known' | 'end'>;

/** Joins the request's rows to the groups' history up to a position. */
export async function joinHistory(replay: Pick<Replay, 'run'>, table: RequestTable, plan: Plan, { known, end }: PinnedAt, signal?: AbortSignal): Promise<TrainingSet> {
  const joins = plan.joins.map((planned) => {
    const moments = momentsOf(table, planned);
    const { definition, features } = planned;
    return { planned, moments, join: new PointInTimeJoin(moments, { features, ttlUs: definition.ttlSeconds * 1_000_000, knownAtRowTime: known.rowTime }) };
  });
  const overWindows = windowReaders(plan, joins, known);
  const { partitions, readersOf } = reading<(typeof joins | typeof overWindows)[number]>([...joins, ...overWindows]);
  await replay.run(
    partitions,
    end,
    (event, partition) => {
      for (const { join, planned } of readersOf(partition)) tell(join, event, { version: planned.definition.version, known, onlineToo: false });
    },
    signal,
  );
  for (const { join } of joins) join.finish();
  const kept = [...table.columns].map(([name, values]): TrainingColumn => ({ name, type: table.types?.get(name), at: (row) => values[row] ?? null }));
  const features = plan.columns.map(({ name, type, dimensions, join, feature }): TrainingColumn => ({ name, type, dimensions, at: (row): FeatureValue | null => joins[join]!.join.value(feature, row) }));
  const windows = windowValues(overWindows);
  const shown = plan.derived ? shownCells(plan.derived, table.rows, features, windows) : features;
  const hidden = (row: number) => joins.some(({ join }) => join.deleted(row)) || windows.values().some(({ statuses }) => statuses[row] === deletedStatus);
  return { rows: table.rows, columns: [...kept, ...shown], hidden };
}
