import { valueAt, type RowBlock } from '../../domain/features/chunk.js';
import type { FeatureSpec } from '../../domain/features/definition.js';
import { decodeKey } from '../../domain/features/keys.js';
import type { FeatureGroupDefinition } from '../../domain/features/state.js';
import type { ExpectationFinding } from '../../domain/features/monitoring/expectations.js';
import { formatTimeUs } from '../../domain/features/times.js';
import type { EntityValue, FeatureValue } from '../../domain/features/values.js';
import { defaultTimeColumn } from '../../projections/features/history/entity-times.js';
import type { Replay } from '../../projections/features/history/replay.js';
import type { RequestTable } from '../../projections/features/history/request-table.js';
import { joinHistory } from '../../projections/features/history/training-set.js';
import { transformationAt } from '../../projections/features/transformations/transformation-at.js';
import { monitoringAt } from '../../projections/features/monitoring/monitoring-at.js';
import { checkRows } from '../features/check-rows.js';
import { judgeRows } from '../features/expectations.js';
import { writableGroup, type WritableGroup } from '../features/group.js';
import type { IncomingRows, RowFault } from '../features/incoming.js';
import { oversized } from '../features/split.js';
import type { PreparedPipeline } from './prepare.js';
import { withRows } from './with-rows.js';

/** What a pipeline makes of a given row: a row of the target. */
export interface MadeRow {
  /** Which of the given rows it is made of, counted from zero. */
  readonly row: number;
  readonly entity: Readonly<Record<string, EntityValue>>;
  readonly eventTime: string;
  readonly values: Readonly<Record<string, FeatureValue | null>>;
}

/** What became of given rows: a made row, or one fault or more, for each. */
export interface MadeRows {
  readonly rows: readonly MadeRow[];
  readonly faults: readonly RowFault[];
  /** What the made rows break together, where that would only be reported. */
  readonly broken: readonly ExpectationFinding[];
}

/**
 * Computes the steps for rows that are given as rows of the source, as if they had just been written there, and writes
 * nothing. Rows that the source would not take, and those whose results the target would not take, are told by name. What
 * is expected of the target judges the made rows together, as it would judge a write of them, and may refuse them.
 */
export async function applyToRows(replay: Replay, prepared: PreparedPipeline, given: IncomingRows, signal?: AbortSignal): Promise<MadeRows> {
  const { source, target, known, end, plan, columns } = prepared;
  const ready = (group: FeatureGroupDefinition) => writableGroup(group, (project, named) => transformationAt(replay.eventStore, project, named, known, signal));
  const { block, faults } = goodRows(given, await ready(source));
  const bad = new Set(faults.map(({ row }) => row));
  const good = Array.from({ length: block.rows }, (_, row) => row).filter((row) => !bad.has(row));
  if (good.length === 0) return { rows: [], faults, broken: [] };
  const table = tableOf(block, good, source.entities.map(({ name }) => name));
  const { columns: made } = await joinHistory(withRows(replay, source, block, good), table, plan, { known, end }, signal);
  const features = new Map(columns.map(({ feature, place }) => [feature, good.map((_, at) => made[table.columns.size + place]!.at(at))]));
  const keys = new Map(target.entities.map(({ name }) => [name, table.columns.get(name)!]));
  const filled = goodRows({ rows: good.length, keys, timeUs: table.timeUs, features }, await ready(target));
  const refused = new Set(filled.faults.map(({ row }) => row));
  const kept = good.keys().filter((at) => !refused.has(at)).toArray();
  const { expectations } = kept.length === 0 ? { expectations: [] } : await monitoringAt(replay.eventStore, target.project, target.group, known.position, signal);
  const broken = judgeRows({ project: target.project, group: target.group, block: filled.block, rows: kept }, expectations).map(({ finding }) => finding);
  const specs = target.features.filter(({ name }) => features.has(name));
  const rows = kept.map((at): MadeRow => ({ row: good[at]!, ...shownRow(filled.block, at, target, specs) }));
  const ofTarget = filled.faults.map(({ row, field, description }) => ({ row: good[row]!, field: `target.${field}`, description }));
  return { rows, faults: [...faults, ...ofTarget].sort((a, b) => a.row - b.row), broken };
}

/** One row as JSON says it, so that it can be given to a write of the group. */
function shownRow(block: RowBlock, row: number, { entities }: FeatureGroupDefinition, features: readonly FeatureSpec[]): Omit<MadeRow, 'row'> {
  const keys = decodeKey(block.keys[block.key[row]!]!);
  const shown = ({ name, type }: FeatureSpec): FeatureValue | null => {
    const value = valueAt(block.columns.get(name), row);
    return type === 'TIMESTAMP' && typeof value === 'number' ? formatTimeUs(value) : value;
  };
  return { entity: Object.fromEntries(entities.map(({ name }, part) => [name, keys[part]!])), eventTime: formatTimeUs(block.timeUs[row]!), values: Object.fromEntries(features.map((spec) => [spec.name, shown(spec)])) };
}

/** Rows as their group stores them, and what is wrong with those that it would not take. */
function goodRows(rows: IncomingRows, group: WritableGroup): { block: RowBlock; faults: readonly RowFault[] } {
  const { block, faults } = checkRows(rows, group);
  return { block, faults: [...faults, ...oversized(block)].sort((a, b) => a.row - b.row) };
}

/** The entities and times of some rows of a block, as a question for a training set has them. */
function tableOf({ keys, key, timeUs }: RowBlock, rows: readonly number[], names: readonly string[]): RequestTable {
  const decoded = keys.map(decodeKey);
  const times = Float64Array.from(rows, (row) => timeUs[row]!);
  return { rows: rows.length, timeUs: times, columns: new Map<string, readonly unknown[]>([...names.map((name, part) => [name, rows.map((row) => decoded[key[row]!]![part])] as const), [defaultTimeColumn, Array.from(times)]]) };
}
