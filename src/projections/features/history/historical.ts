import { Refusal } from '../../../domain/kit/index.js';
import type { Position } from '../../../platform/eventstore/port.js';
import { answeredColumns, type AnsweredColumn } from './answered-columns.js';
import { defaultTimeColumn, joinEntityTimes, requireSameKeys, startOf, type TimeRange } from './entity-times.js';
import type { Named } from '../transformations/named.js';
import type { KnownAt } from './known.js';
import { pinned } from './pinned.js';
import type { Replay } from './replay.js';
import { momentsOf, type RequestTable } from './request-table.js';
import { planOf, type Plan, type PlannedJoin, type Selection } from './selection.js';
import { joinHistory, type TrainingSet } from './training-set.js';

/** A question for a training set. */
export interface HistoricalQuestion extends Selection {
  readonly project: string;
  /** Names the features in place of `features`, which is then empty. */
  readonly service?: string;
  readonly known: KnownAt;
  /** Only deletions up to here count, so that it can be told what later ones have changed; all where it is left out. */
  readonly deletionsUpTo?: Position;
  /** The rows to join features to, or the range of event times whose rows are meant. */
  readonly rows: RequestTable | AskedRange;
}

/** A range of event times as it is asked for. */
export interface AskedRange {
  readonly startUs?: number;
  /** Now where it is left out. */
  readonly endUs?: number;
  /** The only entities meant, by columns of keys; all where they are left out. */
  readonly entities?: RequestTable;
}

/** Refuses a range that ends before it begins, which is a mistake and no question. Both times are in microseconds. */
export function requireOrder({ startUs, endUs = Date.now() * 1000 }: AskedRange): void {
  if (startUs === undefined || startUs <= endUs) return;
  throw new Refusal('INVALID_ARGUMENT', 'start lies after the end', { reason: 'INVALID_INPUT', fields: [{ field: 'start', description: 'lies after the end' }] });
}

/** A training set as it comes. */
export interface HistoricalAnswer {
  /** The question's `known` with the position at which it was answered: asked again with it, the answer is the same. */
  readonly known: KnownAt & { readonly position: Position };
  /** The place in the log up to which deletions count. */
  readonly end: Position;
  /** The features asked for; those of the service where one was named. */
  readonly selection: Selection;
  readonly plan: Plan;
  /** The columns of every table: those of the rows, then those of the plan. */
  readonly columns: readonly AnsweredColumn[];
  /** The range meant, where the question gave no rows. */
  readonly range?: TimeRange;
  /** Tables with the same columns, whose rows follow one another. */
  readonly tables: AsyncIterable<TrainingSet>;
}

/** Answers a question from the log. Refusals of the question itself come before the first table. */
export async function historical(replay: Replay, asked: HistoricalQuestion, signal?: AbortSignal): Promise<HistoricalAnswer> {
  const { known, end, selection: question, ...named } = await pinned(replay.eventStore, asked, signal);
  const { rows } = question;
  if (isTable(rows)) {
    const plan = planOf(question, named.definitions, rows.columns.keys(), named.transformations);
    const own = [...rows.columns.keys()].map((name) => ({ name, type: rows.types?.get(name) }));
    return { known, end, selection: question, plan, columns: [...own, ...answeredColumns(question.project, plan)], tables: one(() => joinHistory(replay, rows, plan, { known, end }, signal)) };
  }
  const plan = planWithoutRows(question, named);
  const { endUs = Date.now() * 1000, startUs = startOf(endUs, plan), entities } = rows;
  const range = { startUs, endUs, ...(entities && { entities: momentsOf(entities, plan.joins[0]!).keys }) };
  const own = [...plan.joins[0]!.keys.map(({ column, type }) => ({ name: column, type })), { name: defaultTimeColumn, type: 'TIMESTAMP' as const }];
  return { known, end, selection: question, plan, columns: [...own, ...answeredColumns(question.project, plan)], range, tables: joinEntityTimes(replay, plan, range, { known, end }, signal) };
}

const isTable = (rows: HistoricalQuestion['rows']): rows is RequestTable => 'columns' in rows;

/** The columns of keys and time that rows of a range have are not known before the groups are, so they are planned twice. */
function planWithoutRows(question: HistoricalQuestion, { definitions, transformations }: Named): Plan {
  const { joins } = planOf(question, definitions, [], transformations);
  requireSameKeys(joins);
  requireOwnTime(joins[0]!);
  return planOf(question, definitions, [...joins.flatMap(({ keys }) => keys.map(({ column }) => column)), defaultTimeColumn], transformations);
}

/** Nobody could tell such a key from the time of the row. */
function requireOwnTime({ name, keys }: PlannedJoin): void {
  if (!keys.some(({ column }) => column === defaultTimeColumn)) return;
  throw new Refusal('INVALID_ARGUMENT', `${name} has a key ${defaultTimeColumn}, which is what the times of rows are called where the request gives none; give the rows, with another timeColumn`, { reason: 'ROWS_NEEDED' });
}

async function* one(join: () => Promise<TrainingSet>): AsyncGenerator<TrainingSet> {
  yield await join();
}
