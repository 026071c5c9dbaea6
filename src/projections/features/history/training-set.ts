import { partitionOf } from '../../../domain/features/keys.js';
import type { FeatureType, FeatureValue } from '../../../domain/features/values.js';
import type { Position } from '../../../platform/eventstore/port.js';
import type { HistoryEvent } from './events.js';
import { PointInTimeJoin } from './join.js';
import { isKnown, type KnownAt } from './known.js';
import type { Partition, Replay } from './replay.js';
import { momentsOf, type RequestTable } from './request-table.js';
import type { Plan, PlannedJoin } from './selection.js';
import type { Moments } from './slots.js';

/** One column of a training set: a feature, or (without a type) a column of the request. */
export interface TrainingColumn {
  readonly name: string;
  readonly type?: FeatureType;
  at(row: number): unknown;
}

/** One output row for each row of the request, in its order. */
export interface TrainingSet {
  readonly rows: number;
  readonly columns: readonly TrainingColumn[];
}

/** Joins the request's rows to the groups' history up to a position. */
export async function joinHistory(replay: Replay, table: RequestTable, plan: Plan, known: KnownAt & { readonly position: Position }, signal?: AbortSignal): Promise<TrainingSet> {
  const joins = plan.joins.map((planned) => ({ planned, ...openJoin(planned, momentsOf(table, planned), known) }));
  const { partitions, joinsOf } = reading(joins);
  await replay.run(
    partitions,
    known.position,
    (event, partition) => {
      if (!isKnown(known, event)) return;
      for (const { join, planned } of joinsOf(partition)) if (isHistoryOf(event, planned.definition.version)) join.add(event.block, event.recordedAtUs);
    },
    signal,
  );
  for (const { join } of joins) join.finish();
  const kept = [...table.columns].map(([name, values]): TrainingColumn => ({ name, at: (row) => values[row] ?? null }));
  const features = plan.columns.map(({ name, type, join, feature }): TrainingColumn => ({ name, type, at: (row): FeatureValue | null => joins[join]!.join.value(feature, row) }));
  return { rows: table.rows, columns: [...kept, ...features] };
}

/** Rows written for online reads alone are no history, and a version of a group has rows of its own. */
export const isHistoryOf = ({ block }: HistoryEvent, version: number): boolean => block.mode !== 'ONLINE' && block.version === version;

interface OpenJoin {
  readonly planned: PlannedJoin;
  readonly join: PointInTimeJoin;
  readonly partitions: ReadonlySet<number>;
}

function openJoin({ definition, features }: PlannedJoin, moments: Moments, { rowTime }: KnownAt): Omit<OpenJoin, 'planned'> {
  const join = new PointInTimeJoin(moments, { features, ttlUs: definition.ttlSeconds * 1_000_000, knownAtRowTime: rowTime });
  const keys = new Set(moments.keys);
  const partitions = new Set<number>();
  for (const key of keys) if (key !== null && partitions.size < definition.partitions) partitions.add(partitionOf(key, definition.partitions));
  return { join, partitions };
}

/** Each partition is read once, however many joins want it; one that holds no wanted entity is not read. */
function reading(joins: readonly OpenJoin[]): { partitions: Partition[]; joinsOf: (partition: Partition) => readonly OpenJoin[] } {
  const partitions: Partition[] = [];
  const readers = new Map<Partition, OpenJoin[]>();
  for (const open of joins) {
    const { project, group } = open.planned.definition;
    for (const partition of [...open.partitions].sort((a, b) => a - b)) {
      let one = partitions.find((other) => other.project === project && other.group === group && other.partition === partition);
      if (one === undefined) partitions.push((one = { project, group, partition }));
      readers.set(one, [...(readers.get(one) ?? []), open]);
    }
  }
  return { partitions, joinsOf: (partition) => readers.get(partition)! };
}
