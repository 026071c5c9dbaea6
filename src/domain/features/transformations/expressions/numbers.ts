import { int64Of } from '../../int64.js';

/** A whole number of 64 bits as values hold it: a number where a double is exact, else its digits. */
export type Int64 = number | string;

/** The nearest double. */
export const toDouble = (value: Int64): number => (typeof value === 'number' ? value : Number(value));

/** A double that can be stored, and null for what is none: NaN and the infinities. Adding 0 makes -0 into 0. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value + 0 : null);

/** Exact arithmetic on whole numbers: what leaves 64 bits is null. Doubles are used wherever they hold the result exactly. */
export const int64 = {
  add: exact((a, b) => a + b, (a, b) => a + b),
  subtract: exact((a, b) => a - b, (a, b) => a - b),
  multiply: exact((a, b) => a * b, (a, b) => a * b),
  /** The sign is that of the dividend; null where the divisor is 0. */
  remainder: exact((a, b) => (b === 0 ? NaN : a % b), (a, b) => (b === 0n ? null : a % b)),
  compare: (a: Int64, b: Int64): number => (typeof a === 'number' && typeof b === 'number' ? a - b : Number(BigInt(a) - BigInt(b))),
  negate: (a: Int64): Int64 | null => int64.subtract(0, a),
  /** Null for a double that no whole number of 64 bits is near; what stands behind the point is cut off. */
  truncate: (value: number): Int64 | null => (Number.isSafeInteger(Math.trunc(value)) ? Math.trunc(value) + 0 : (int64Of(BigInt(Math.trunc(value))) ?? null)),
};

function exact(quick: (a: number, b: number) => number, sure: (a: bigint, b: bigint) => bigint | null): (a: Int64, b: Int64) => Int64 | null {
  return (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') {
      const result = quick(a, b);
      if (Number.isSafeInteger(result)) return result + 0;
    }
    const result = sure(BigInt(a), BigInt(b));
    return result === null ? null : (int64Of(result) ?? null);
  };
}
