import { int64Of } from '../../domain/features/int64.js';
import { inRange, parseTimeUs } from '../../domain/features/times.js';
import type { FeatureType } from '../../domain/features/values.js';

/**
 * What a file may write for a value of each type, in the form in which values are sent; undefined for what does not fit.
 * A file of texts has numbers, truths and lists as texts; one with types has them as they are, whole numbers as bigint.
 */
export const fileValues: Readonly<Record<FeatureType, (value: unknown) => unknown>> = {
  // Where a column has gaps, pandas writes its whole numbers as 1.0.
  INT64: (value) => int64Of(typeof value === 'string' ? value.replace(/\.0+$/, '') : value),
  DOUBLE: double,
  STRING: (value) => (typeof value === 'string' ? value : typeof value === 'object' ? undefined : String(value)),
  BOOL: (value) => (typeof value === 'boolean' ? value : typeof value === 'string' ? truths.get(value.toLowerCase()) : undefined),
  TIMESTAMP: microseconds,
  DOUBLE_LIST: doubles,
};

const truths: ReadonlyMap<string, boolean> = new Map([['true', true], ['false', false]]);

/** A time in ISO 8601, or microseconds since the Unix epoch. */
function microseconds(value: unknown): number | undefined {
  const us = typeof value === 'number' ? inRange(value) : typeof value === 'string' ? parseTimeUs(value.trim()) : typeof value === 'bigint' ? inRange(Number(value)) : NaN;
  return Number.isNaN(us) ? undefined : us;
}

const decimal = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;

function double(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  // JavaScript would take an empty text for 0, and 0x10 for 16.
  if (typeof value === 'string' && !decimal.test(value)) return undefined;
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** A list of numbers, or the text of a JSON array of them. */
function doubles(value: unknown): number[] | undefined {
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
  return values.includes(undefined) ? undefined : (values as number[]);
}
