import { inRange, parseTimeUs } from '../../domain/features/times.js';
import type { IncomingRows } from './incoming.js';

/** One row as a caller wrote it. `timeUs` is NaN where no time was given. */
export interface GivenRow {
  readonly keys: ReadonlyMap<string, unknown>;
  readonly timeUs: number;
  /** What was given for a time that is none. */
  readonly time?: unknown;
  readonly values: ReadonlyMap<string, unknown>;
}

/** Rows given one by one, as columns. What a row does not give is undefined in its column. */
export function rowsFromMaps(rows: readonly GivenRow[]): IncomingRows {
  const keys = new Map<string, unknown[]>();
  const features = new Map<string, unknown[]>();
  const timeUs = new Float64Array(rows.length);
  rows.forEach((row, index) => {
    timeUs[index] = row.timeUs;
    put(keys, row.keys, index, rows.length);
    put(features, row.values, index, rows.length);
  });
  return { rows: rows.length, keys, timeUs, times: rows.map(({ time }) => time), features };
}

/** One row as JSON says it; a time is a text, or microseconds. */
export interface JsonRow {
  readonly entity: Readonly<Record<string, unknown>>;
  readonly eventTime?: unknown;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Rows in JSON as columns. What is wrong with their times and values is found when they are checked. */
export const rowsFromJson = (rows: readonly JsonRow[]): IncomingRows =>
  rowsFromMaps(rows.map(({ entity, eventTime, values }) => ({ keys: new Map(Object.entries(entity)), timeUs: timeOf(eventTime), time: eventTime, values: new Map(Object.entries(values)) })));

const timeOf = (given: unknown): number => (typeof given === 'string' ? parseTimeUs(given) : typeof given === 'number' ? inRange(given) : NaN);

function put(columns: Map<string, unknown[]>, values: ReadonlyMap<string, unknown>, row: number, rows: number): void {
  for (const [name, value] of values) {
    let column = columns.get(name);
    if (!column) columns.set(name, (column = new Array(rows).fill(undefined)));
    column[row] = value;
  }
}
