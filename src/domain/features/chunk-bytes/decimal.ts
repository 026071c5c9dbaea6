/** The powers of ten that a double holds exactly. */
const powers = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/**
 * The double nearest to `(head * 10^tailLength + tail) / 10^fraction`, as `Number` gives it; `head` and `tail` are whole
 * numbers of at most nine digits. NaN where this way does not decide it: ask `Number` then.
 */
export function nearestDouble(head: number, tail: number, tailLength: number, fraction: number): number {
  if (fraction > 22) return NaN;
  const divisor = powers[fraction]!;
  const scale = powers[tailLength]!;
  const product = head * scale;
  const digits = product + tail;
  // Both are exact, so one division rounds once (Clinger 1990, "How to read floating point numbers accurately").
  if (digits <= Number.MAX_SAFE_INTEGER) return digits / divisor;
  return quotient(digits, productError(head, scale, product) + (tail - (digits - product)), divisor);
}

/**
 * (high + low) / divisor, rounded once. The quotient is made in twice the precision of a double (Dekker 1971), wrong by
 * less than 2^-98 of it; it is the nearest double unless a boundary between two lies within that, which is told by NaN.
 */
function quotient(high: number, low: number, divisor: number): number {
  const first = high / divisor;
  const product = first * divisor;
  const rest = high - product - productError(first, divisor, product) + low;
  const second = rest / divisor;
  const doubt = first * 2 ** -98;
  const rounded = first + (second - doubt);
  return rounded === first + (second + doubt) ? rounded : NaN;
}

/** What rounding took from a product of two doubles, exactly. */
function productError(a: number, b: number, product: number): number {
  const aBig = a * 134217729;
  const aHigh = aBig - (aBig - a);
  const aLow = a - aHigh;
  const bBig = b * 134217729;
  const bHigh = bBig - (bBig - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}
