import { plainValues } from '../../../commands/features/incoming.js';
import { inRange, timeFault } from '../../../domain/features/times.js';
import type { FeatureType } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import { parsePosition, PositionError } from '../../../platform/eventstore/port.js';
import type { AsOfRequest } from '../../../projections/features/history/as-of.js';
import { defaultTimeColumn } from '../../../projections/features/history/entity-times.js';
import { requireOrder, type HistoricalQuestion } from '../../../projections/features/history/historical.js';
import type { KnownAt } from '../../../projections/features/history/known.js';
import type { RequestTable } from '../../../projections/features/history/request-table.js';
import { columnsByName, type ColumnMessage } from './columns.js';
import type { HistoricalMessage, KnownAtMessage, ReadPastMessage } from './history-messages.js';
import { onlineRequestOf } from './requests.js';

/** What ReadAsOf asks. */
export function asOfRequestOf(message: ReadPastMessage): AsOfRequest {
  return { ...onlineRequestOf(message), atUs: timeOf('at', message.fromUs) ?? Date.now() * 1000, known: knownOf(message.known) };
}

/** What ReadOffline asks. */
export function offlineQuestionOf(message: ReadPastMessage): HistoricalQuestion {
  const { project, features, service, fullNames, entities, keys } = onlineRequestOf(message);
  const table: RequestTable = { rows: entities, timeUs: new Float64Array(entities), columns: keys };
  const { fromUs, endUs } = message;
  return { project, features, service, fullNames, aliases: [], known: knownOf(message.known), rows: { ...rangeOf(fromUs, endUs), entities: table } };
}

/** What a historical request asks. With no columns and no times it asks for a range. */
export function historicalQuestionOf(message: HistoricalMessage): HistoricalQuestion {
  const { project, features, service, aliases, fullNames, columns, rowTimeUs, startUs, endUs } = message;
  const hasRows = columns.length > 0 || rowTimeUs.length > 0;
  if (hasRows && !(Number.isNaN(startUs) && Number.isNaN(endUs))) refuse('start', 'and end are for a question without rows, which have times of their own');
  const rows = hasRows ? tableOf(message) : rangeOf(startUs, endUs);
  return { project, features, service, aliases, fullNames, known: knownOf(message.known), rows };
}

/** One question whose rows came in several messages, all with the same columns; the first message asks. */
export function joinedQuestionOf(messages: readonly HistoricalMessage[]): HistoricalQuestion {
  const [first, ...others] = messages;
  if (first === undefined) refuse('project', 'is missing: no message came');
  const question = historicalQuestionOf(first);
  if (others.length === 0) return question;
  if (!('columns' in question.rows)) refuse('columns', 'came late: the first message brings rows too, or asks for a range alone');
  const tables = [question.rows, ...others.map((message) => tableOf({ ...message, timeColumn: first.timeColumn }))];
  return { ...question, rows: joinedTables(tables) };
}

function tableOf({ columns, rowTimeUs, timeColumn: given }: HistoricalMessage): RequestTable {
  const rows = rowTimeUs.length;
  const timeColumn = given === '' ? defaultTimeColumn : given;
  const wrong = rowTimeUs.findIndex((timeUs) => Number.isNaN(inRange(timeUs)));
  if (wrong >= 0) refuse(`rowTimeUs[${wrong}]`, timeFault);
  const values = new Map<string, readonly unknown[]>();
  const types = new Map<string, FeatureType>([[timeColumn, 'TIMESTAMP']]);
  for (const [name, column] of columnsByName(columns, rows, 'columns')) values.set(name, plainValues(column) as readonly unknown[]);
  for (const column of columns) {
    const type = typeOf(column);
    if (type !== undefined) types.set(column.name, type);
  }
  if (values.has(timeColumn)) refuse('timeColumn', `is ${timeColumn} like another column`);
  return { rows, timeUs: Float64Array.from(rowTimeUs), columns: values.set(timeColumn, rowTimeUs), timeColumn, types };
}

/** The type of a column is that of the list it fills; none where it brings no values. */
function typeOf({ doubles, ints, strings, bools, timesUs, lists }: ColumnMessage): FeatureType | undefined {
  const filled = { DOUBLE: doubles, INT64: ints, STRING: strings, BOOL: bools, TIMESTAMP: timesUs, DOUBLE_LIST: lists };
  return (Object.keys(filled) as (keyof typeof filled)[]).find((type) => filled[type].length > 0);
}

function joinedTables(tables: readonly RequestTable[]): RequestTable {
  const [first, ...others] = tables as [RequestTable, ...RequestTable[]];
  const types = new Map(first.types);
  others.forEach((table, at) => {
    const same = table.columns.size === first.columns.size && [...first.columns.keys()].every((name) => table.columns.has(name));
    if (!same) refuse('columns', `of message ${at + 2} are not those of the first`);
    for (const [name, type] of table.types ?? []) {
      if ((types.get(name) ?? type) !== type) refuse('columns', `of message ${at + 2} give ${name} another type than before`);
      types.set(name, type);
    }
  });
  const timeUs = Float64Array.from(tables.flatMap((table) => Array.from(table.timeUs)));
  const columns = new Map([...first.columns.keys()].map((name) => [name, tables.flatMap((table) => table.columns.get(name)!)] as const));
  return { rows: timeUs.length, timeUs, columns, timeColumn: first.timeColumn, types };
}

function rangeOf(startUs: number, endUs: number): { startUs?: number; endUs?: number } {
  const range = { startUs: timeOf('start', startUs), endUs: timeOf('end', endUs) };
  requireOrder(range);
  return range;
}

/** NaN stands for a time that is not set. */
function timeOf(field: string, timeUs: number): number | undefined {
  if (Number.isNaN(timeUs)) return undefined;
  return Number.isNaN(inRange(timeUs)) ? refuse(field, timeFault) : timeUs;
}

function knownOf({ timeUs, position, rowTime }: KnownAtMessage): KnownAt {
  try {
    return { timeUs: timeOf('knownAt.time', timeUs), position: position === '' ? undefined : parsePosition(position), rowTime };
  } catch (error) {
    if (error instanceof PositionError) refuse('knownAt.position', 'takes the position of an earlier answer');
    throw error;
  }
}

function refuse(field: string, description: string): never {
  throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
}
