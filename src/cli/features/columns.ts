import { int64Of } from '../../domain/features/int64.js';
import { inRange, parseTimeUs } from '../../domain/features/times.js';
import type { EntityType, FeatureType } from '../../domain/features/values.js';
import { placeOf, RowsError, type RowBatch } from '../rows/source.js';

/** A column as `tarl.features.v1.Column` has it: of the lists the one that fits the type is filled. */
export interface Column {
  readonly name: string;
  readonly doubles?: readonly number[];
  readonly ints?: readonly (number | string)[];
  readonly strings?: readonly string[];
  readonly stringIndex?: readonly number[];
  readonly bools?: readonly boolean[];
  readonly timesUs?: readonly number[];
  readonly lists?: readonly { readonly values: readonly number[] }[];
  readonly nulls?: readonly number[];
}

/** The values of a file's column as a column of the API; names the line or row of the first that does not fit. */
export function columnOf(name: string, type: FeatureType | EntityType, values: readonly unknown[], within: Pick<RowBatch, 'first' | 'lines'>): Column {
  const { list, read, empty } = kinds[type];
  const nulls: number[] = [];
  const filled = values.map((value, at) => {
    if (value === null || value === undefined) {
      nulls.push(at);
      return empty;
    }
    const fitting = read(value);
    if (fitting === undefined) throw new RowsError(`${placeOf(within, at)}, column ${name}: ${show(value)} is not ${type}`);
    return fitting;
  });
  const filling = list === 'strings' ? repeated(filled as string[]) : { [list]: filled };
  return { name, ...filling, ...(nulls.length > 0 && { nulls }) };
}

/** For each type its list, what a file may write for it (undefined for what does not fit), and what stands for null. */
const kinds: Readonly<Record<FeatureType, { readonly list: keyof Column; readonly read: (value: unknown) => unknown; readonly empty: unknown }>> = {
  INT64: { list: 'ints', read: int64Of, empty: 0 },
  DOUBLE: { list: 'doubles', read: double, empty: 0 },
  STRING: { list: 'strings', read: (value) => (typeof value === 'object' ? undefined : String(value)), empty: '' },
  BOOL: { list: 'bools', read: bool, empty: false },
  TIMESTAMP: { list: 'timesUs', read: microseconds, empty: 0 },
  DOUBLE_LIST: { list: 'lists', read: doubles, empty: { values: [] } },
};

/** A time in ISO 8601, or microseconds since the Unix epoch. */
function microseconds(value: unknown): number | undefined {
  const us = typeof value === 'string' ? parseTimeUs(value.trim()) : inRange(Number(value));
  return Number.isNaN(us) ? undefined : us;
}

function double(value: unknown): number | undefined {
  if (typeof value === 'string' && value.trim() === '') return undefined;
  const number = typeof value === 'number' ? value : typeof value === 'string' || typeof value === 'bigint' ? Number(value) : NaN;
  return Number.isFinite(number) ? number : undefined;
}

function bool(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

/** A JSON array of numbers. */
function doubles(value: unknown): { values: number[] } | undefined {
  let list = value;
  if (typeof value === 'string') {
    try {
      list = JSON.parse(value);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
  if (!Array.isArray(list)) return undefined;
  const values = list.map(double);
  return values.includes(undefined) ? undefined : { values: values as number[] };
}

/** Strings that repeat, as the distinct ones and an index for each row: shorter on the wire and in the log. */
export function repeated(values: readonly string[]): Pick<Column, 'strings' | 'stringIndex'> {
  const places = new Map<string, number>();
  const stringIndex: number[] = new Array(values.length);
  for (let row = 0; row < values.length; row++) {
    let place = places.get(values[row]!);
    if (place === undefined) {
      place = places.size;
      if (place > 64 && place * 2 > values.length) return { strings: values };
      places.set(values[row]!, place);
    }
    stringIndex[row] = place;
  }
  return { strings: [...places.keys()], stringIndex };
}

const show = (value: unknown): string => (typeof value === 'bigint' ? String(value) : JSON.stringify(value));
