import type { FeatureValue } from '../values.js';
import { int64Of } from '../int64.js';
import { finite, int64, toDouble, type Int64 } from './expressions/numbers.js';
import type { Values } from './expressions/typed.js';
import type { WindowSpec } from './program.js';

/** The rows of one entity that count, by event time: each time once, ascending. */
export interface EntityRows {
  readonly timeUs: ArrayLike<number>;
  /** A feature's values, one a row. */
  column(feature: string): Values;
}

/** Which of the rows lie in (t - duration, t]. */
export function windowAt({ timeUs }: EntityRows, atUs: number, durationUs: number): { from: number; to: number } {
  return { from: firstAfter(timeUs, atUs - durationUs), to: firstAfter(timeUs, atUs) };
}

/**
 * What a window says of the rows `from` up to `to`; nulls are passed over, and without any value only COUNT has one. Sums
 * of doubles are made in the order of event time, in which no two rows tie, so the same rows always give the same number.
 */
export function aggregate({ aggregate: what, type }: WindowSpec, values: Values | undefined, from: number, to: number): FeatureValue | null {
  if (values === undefined) return to - from;
  switch (what) {
    case 'COUNT':
      return countOf(values, from, to);
    case 'LAST':
      for (let row = to - 1; row >= from; row--) if (values[row] !== null) return values[row]!;
      return null;
    case 'MIN':
      return extremeOf(values, from, to, (order) => order < 0);
    case 'MAX':
      return extremeOf(values, from, to, (order) => order > 0);
    case 'SUM':
      if (countOf(values, from, to) === 0) return null;
      return type === 'INT64' ? (int64Of(wholeSumOf(values, from, to)) ?? null) : finite(sumOf(values, from, to));
    case 'MEAN': {
      const count = countOf(values, from, to);
      return count === 0 ? null : finite(sumOf(values, from, to) / count);
    }
  }
}

function countOf(values: Values, from: number, to: number): number {
  let count = 0;
  for (let row = from; row < to; row++) if (values[row] !== null) count++;
  return count;
}

/** Whole numbers are added exactly, whatever the sum passes through on its way. */
function wholeSumOf(values: Values, from: number, to: number): bigint {
  let sure = 0n;
  let quick = 0;
  for (let row = from; row < to; row++) {
    const value = values[row] as Int64 | null;
    if (value === null) continue;
    const sum = typeof value === 'number' ? quick + value : NaN;
    if (Number.isSafeInteger(sum)) quick = sum;
    else {
      sure += BigInt(quick) + BigInt(value);
      quick = 0;
    }
  }
  return sure + BigInt(quick);
}

/** Neumaier's sum: what each addition loses is added at the end. */
function sumOf(values: Values, from: number, to: number): number {
  let sum = 0;
  let lost = 0;
  for (let row = from; row < to; row++) {
    if (values[row] === null) continue;
    const value = toDouble(values[row] as Int64);
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return Number.isFinite(lost) ? sum + lost : sum;
}

function extremeOf(values: Values, from: number, to: number, wins: (order: number) => boolean): FeatureValue | null {
  let best: Int64 | null = null;
  for (let row = from; row < to; row++) {
    const value = values[row] as Int64 | null;
    if (value !== null && (best === null || wins(typeof value === 'number' && typeof best === 'number' ? value - best : int64.compare(value, best)))) best = value;
  }
  return best;
}

/** The place of the first time after a moment. */
export function firstAfter(timeUs: ArrayLike<number>, atUs: number): number {
  let low = 0;
  let high = timeUs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timeUs[middle]! <= atUs) low = middle + 1;
    else high = middle;
  }
  return low;
}
