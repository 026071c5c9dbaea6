import type { FeatureType, FeatureValue } from '../values.js';
import { sorted, type Sorted } from './statistics/sorted.js';

/** What can be counted of a feature's values: numbers, categories, or only whether they are there. */
export type SampledColumn =
  | { readonly kind: 'number'; readonly nulls: number; readonly numbers: Sorted }
  | { readonly kind: 'category'; readonly nulls: number; readonly counts: ReadonlyMap<string, number> }
  | { readonly kind: 'other'; readonly nulls: number; readonly present: number };

/** How each type is looked at. Times are numbers of microseconds; lists are only counted. */
export const kindOf: Record<FeatureType, SampledColumn['kind']> = { INT64: 'number', DOUBLE: 'number', TIMESTAMP: 'number', STRING: 'category', BOOL: 'category', DOUBLE_LIST: 'other' };

export function columnOf(type: FeatureType, values: readonly (FeatureValue | null)[]): SampledColumn {
  const present = values.filter((value) => value !== null);
  const nulls = values.length - present.length;
  switch (kindOf[type]) {
    case 'number':
      // An INT64 that a double does not hold is a string of digits; its nearest double is near enough for statistics.
      return { kind: 'number', nulls, numbers: sorted(present.map(Number)) };
    case 'category':
      return { kind: 'category', nulls, counts: countsOf(present.map(String)) };
    case 'other':
      return { kind: 'other', nulls, present: present.length };
  }
}

/** How many values are there. */
export function presentIn(column: SampledColumn): number {
  switch (column.kind) {
    case 'number':
      return column.numbers.length;
    case 'category':
      return [...column.counts.values()].reduce((sum, count) => sum + count, 0);
    case 'other':
      return column.present;
  }
}

function countsOf(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
