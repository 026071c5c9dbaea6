import type { FeatureGroupDefinition } from '../../domain/features/state.js';
import type { FeatureValue } from '../../domain/features/values.js';
import type { Position } from '../../platform/eventstore/port.js';
import { PointInTimeJoin } from '../../projections/features/history/join.js';
import { reading } from '../../projections/features/history/reading.js';
import type { Replay } from '../../projections/features/history/replay.js';
import { momentsOf, type RequestTable } from '../../projections/features/history/request-table.js';
import { tell } from '../../projections/features/history/tell.js';
import type { TrainingColumn } from '../../projections/features/history/training-set.js';

/** Rows to be written to a group: entities and times, and the values of its features. */
export interface Filling {
  readonly target: FeatureGroupDefinition;
  readonly table: RequestTable;
  readonly features: readonly { readonly name: string; readonly column: TrainingColumn }[];
}

/** Which of the rows the group does not hold up to a position of the log, with just these values at just this time. */
export async function unwrittenRows(replay: Replay, { target, table, features }: Filling, until: Position, signal: AbortSignal): Promise<number[]> {
  const planned = { name: target.group, definition: target, features: features.map(({ name }) => name), keys: target.entities.map((key) => ({ ...key, column: key.name })) };
  const moments = momentsOf(table, planned);
  const join = new PointInTimeJoin(moments, { features: planned.features, ttlUs: 0 });
  const { partitions } = reading([{ planned, moments }]);
  await replay.run(partitions, until, (event) => tell(join, event, { version: target.version, known: { position: until }, onlineToo: false }), signal);
  join.finish();
  return Array.from({ length: table.rows }, (_, row) => row).filter(
    (row) => join.eventTimeUs(row) !== table.timeUs[row] || features.some(({ column }, at) => !equal(join.value(at, row), column.at(row) as FeatureValue | null)),
  );
}

const equal = (held: FeatureValue | null, made: FeatureValue | null): boolean => held === made || (Array.isArray(held) && Array.isArray(made) && held.length === made.length && held.every((element, at) => element === made[at]));
