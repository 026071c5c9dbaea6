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

function put(columns: Map<string, unknown[]>, values: ReadonlyMap<string, unknown>, row: number, rows: number): void {
  for (const [name, value] of values) {
    let column = columns.get(name);
    if (!column) columns.set(name, (column = new Array(rows).fill(undefined)));
    column[row] = value;
  }
}
