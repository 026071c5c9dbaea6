import { z } from 'zod';
import { timeUnits, withTimes, type TimeUnit } from '../../commands/features/file-times.js';
import { parseInput } from '../../commands/kit/validate.js';
import { int64Of } from '../../domain/features/int64.js';
import { groupReference } from '../../domain/features/reference.js';
import { formatTimeUs, inRange, parseTimeUs, timeFault } from '../../domain/features/times.js';
import type { FeatureType, FeatureValue } from '../../domain/features/values.js';
import { Refusal, resourceName, type FieldViolation } from '../../domain/kit/index.js';
import { formatPosition, parsePosition, PositionError } from '../../platform/eventstore/port.js';
import { typeOfValues } from '../../platform/rows/typed.js';
import type { AsOfAnswer, AsOfRequest } from '../../projections/features/history/as-of.js';
import { defaultTimeColumn } from '../../projections/features/history/entity-times.js';
import { requireOrder, type AskedRange, type HistoricalAnswer, type HistoricalQuestion } from '../../projections/features/history/historical.js';
import type { KnownAt } from '../../projections/features/history/known.js';
import type { RequestTable } from '../../projections/features/history/request-table.js';
import type { TrainingColumn } from '../../projections/features/history/training-set.js';
import { jsonOf, onlineRequestOf, onlineRows, readInput, type OnlineRow } from './json.js';

const mostFaults = 100;

const time = z.string().transform((text, context) => {
  const timeUs = parseTimeUs(text);
  if (Number.isNaN(timeUs)) context.addIssue({ code: 'custom', message: timeFault });
  return timeUs;
});

const position = z.string().transform((text, context) => {
  try {
    return parsePosition(text);
  } catch (error) {
    if (!(error instanceof PositionError)) throw error;
    context.addIssue({ code: 'custom', message: 'takes the position of an earlier answer' });
    return z.NEVER;
  }
});

/** What counts as known, as JSON says it. */
const knownAt = z.strictObject({ time: time.optional(), position: position.optional(), rowTime: z.boolean().default(false) });

const features = z.array(z.string().max(256)).max(5000).default([]);

const asked = { project: resourceName, features, service: resourceName.optional(), fullNames: z.boolean().default(false), knownAt: knownAt.optional() };

/** The question of a training set, without its rows. */
export const historicalInput = z.strictObject({
  ...asked,
  aliases: z.array(z.strictObject({ alias: resourceName, group: groupReference, keyColumns: z.record(z.string(), z.string()).default({}) })).max(100).default([]),
  timeColumn: z.string().min(1).max(256).default(defaultTimeColumn),
  timeUnit: z.enum(timeUnits).optional().describe('What the times of rows count that are numbers, since 1970; without it microseconds, and refused where all would lie before 1980.'),
  start: time.optional(),
  end: time.optional(),
  rows: z.array(z.record(z.string(), z.unknown())).optional(),
});

/** The question for the history of chosen entities. */
export const offlineInput = z.strictObject({ ...asked, entities: z.array(z.record(z.string(), z.unknown())).max(10_000), start: time.optional(), end: time.optional() });

/** The question for the values at a past moment. */
export const asOfInput = readInput.extend({ at: time.optional(), knownAt: knownAt.optional() });

/** Rows of a request that came in columns. */
export interface RequestColumns {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
  readonly types: ReadonlyMap<string, FeatureType>;
}

/** A question for a training set as JSON says it: rows are objects, whose `timeColumn` is the time of the row. They may also come in columns. */
export function historicalQuestionOf(raw: unknown, given?: RequestColumns): HistoricalQuestion {
  const { knownAt: known, timeColumn, timeUnit, rows, start, end, ...selection } = parseInput(historicalInput, raw);
  const table = given ?? (rows && { rows: rows.length, ...wholeColumns(columnsOf(rows)) });
  if (table && (start ?? end) !== undefined) throw new Refusal('INVALID_ARGUMENT', 'start and end are for a question without rows, which have times of their own', { reason: 'RANGE_BESIDE_ROWS' });
  return { ...selection, known: knownOf(known), rows: table ? tableOf(inUnit(table, timeColumn, timeUnit), timeColumn) : rangeOf(start, end) };
}

/** A question for the history of entities. */
export function offlineQuestionOf(raw: unknown): HistoricalQuestion {
  const { knownAt: known, entities, start, end, ...selection } = parseInput(offlineInput, raw);
  const table = { rows: entities.length, timeUs: new Float64Array(entities.length), columns: columnsOf(entities) };
  return { ...selection, aliases: [], known: knownOf(known), rows: { ...rangeOf(start, end), entities: table } };
}

/** A read of a past moment; `entities` as for an online read. */
export function asOfRequestOf(raw: unknown): { request: AsOfRequest; entities: readonly Readonly<Record<string, unknown>>[] } {
  const { at, knownAt: known, ...rest } = parseInput(asOfInput, raw);
  const { request, entities } = onlineRequestOf(rest);
  return { entities, request: { ...request, atUs: at ?? Date.now() * 1000, known: knownOf(known) } };
}

/** What a read of a past moment answers as JSON. */
export const asOfJson = (answer: AsOfAnswer, entities: readonly Readonly<Record<string, unknown>>[]): { rows: OnlineRow[]; knownAt: object } => ({
  rows: onlineRows(answer, entities),
  knownAt: knownJson(answer.known),
});

/** What counts as known as it goes back: asked again with it, the answer is the same. */
export const knownJson = ({ position: at, timeUs, rowTime }: HistoricalAnswer['known']) => ({
  position: formatPosition(at),
  ...(timeUs !== undefined && { time: formatTimeUs(timeUs) }),
  ...(rowTime && { rowTime }),
});

/** A cell as it is shown in JSON. */
export function cellOf({ type, at }: TrainingColumn, row: number): unknown {
  const value = at(row);
  return type === undefined ? value : jsonOf(value as FeatureValue | null, type);
}

const knownOf = (known: z.output<typeof knownAt> | undefined): KnownAt => (known ? { position: known.position, timeUs: known.time, rowTime: known.rowTime } : {});

function tableOf({ rows, columns, types }: RequestColumns, timeColumn: string): RequestTable {
  const given = columns.get(timeColumn) ?? [];
  const timeUs = Float64Array.from({ length: rows }, (_, row) => timeOf(given[row]));
  const faults: FieldViolation[] = [];
  for (let row = 0; row < rows && faults.length < mostFaults; row++) if (Number.isNaN(timeUs[row])) faults.push({ field: `rows[${row}].${timeColumn}`, description: timeFault });
  if (faults.length > 0) throw new Refusal('INVALID_ARGUMENT', `${faults[0]!.field} ${timeFault}`, { reason: 'INVALID_INPUT', fields: faults });
  return { rows, timeUs, columns, timeColumn, ...(types.size > 0 && { types }) };
}

/** The rows with times that were numbers in a unit of their own as texts. */
function inUnit(table: RequestColumns, timeColumn: string, unit: TimeUnit | undefined): RequestColumns {
  const { columns } = withTimes({ ...table, first: 1 }, { eventTime: timeColumn, columns: [], units: unit ? { '': unit } : {}, say: (one) => `timeUnit=${one}` });
  if (!unit) return table;
  const shown = (columns.get(timeColumn) ?? []).map((time) => (typeof time === 'number' ? formatTimeUs(time) : time));
  const types = new Map([...table.types].filter(([name]) => name !== timeColumn || table.types.get(name) === 'TIMESTAMP'));
  return { ...table, types, columns: new Map([...columns, [timeColumn, shown]]) };
}

function rangeOf(startUs: number | undefined, endUs: number | undefined): AskedRange {
  requireOrder({ startUs, endUs });
  return { startUs, endUs };
}

/** Whole numbers that came with all their digits in their one form; a column of whole numbers alone is said to be one. */
function wholeColumns(columns: Map<string, unknown[]>): Pick<RequestColumns, 'columns' | 'types'> {
  const types = new Map<string, FeatureType>();
  for (const [name, values] of columns) {
    if (!values.some((value) => typeof value === 'bigint')) continue;
    if (typeOfValues(values) === 'INT64') types.set(name, 'INT64');
    values.forEach((value, row) => {
      if (typeof value === 'bigint') values[row] = int64Of(value);
    });
  }
  return { columns, types };
}

/** ISO 8601, or whole microseconds since the Unix epoch. */
const timeOf = (given: unknown): number => (typeof given === 'string' ? parseTimeUs(given) : typeof given === 'number' ? inRange(given) : NaN);

/** Columns in the order in which they are first met; what a row does not have is null. */
function columnsOf(rows: readonly Readonly<Record<string, unknown>>[]): Map<string, unknown[]> {
  const columns = new Map<string, unknown[]>();
  rows.forEach((cells, row) => {
    for (const name in cells) {
      let column = columns.get(name);
      if (!column) columns.set(name, (column = new Array<unknown>(rows.length).fill(null)));
      column[row] = cells[name];
    }
  });
  return columns;
}
