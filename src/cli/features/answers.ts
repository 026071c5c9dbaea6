import { formatTimeUs } from '../../domain/features/times.js';
import type { FeatureType } from '../../domain/features/values.js';
import type { Column } from './columns.js';

/** Reads the values of a column of an answer as JSON has them: times in ISO 8601, 64-bit integers beyond a double as digits; null where there is none. */
export function readerOf(column: Column): (row: number) => unknown {
  const nulls = new Set(column.nulls);
  const valueAt = listReader(column);
  return (row) => (nulls.has(row) ? null : valueAt(row));
}

/** The type of a column's values, by the list that is filled; undefined where it has no rows. */
export function typeOfColumn({ ints = [], doubles = [], strings = [], bools = [], timesUs = [], lists = [] }: Column): FeatureType | undefined {
  if (ints.length > 0) return 'INT64';
  if (doubles.length > 0) return 'DOUBLE';
  if (strings.length > 0) return 'STRING';
  if (bools.length > 0) return 'BOOL';
  if (timesUs.length > 0) return 'TIMESTAMP';
  return lists.length > 0 ? 'DOUBLE_LIST' : undefined;
}

/** Of the lists one is filled; with no rows at all none. */
function listReader({ ints = [], doubles = [], strings = [], stringIndex = [], bools = [], timesUs = [], lists = [] }: Column): (row: number) => unknown {
  if (ints.length > 0) return (row) => wholeNumber(ints[row]!);
  if (doubles.length > 0) return (row) => doubles[row];
  if (stringIndex.length > 0) return (row) => strings[stringIndex[row]!];
  if (strings.length > 0) return (row) => strings[row];
  if (bools.length > 0) return (row) => bools[row];
  if (timesUs.length > 0) return (row) => formatTimeUs(Number(timesUs[row]));
  return (row) => lists[row]?.values ?? null;
}

function wholeNumber(digits: number | string): number | string {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
}
