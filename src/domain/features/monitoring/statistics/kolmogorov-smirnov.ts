import type { Sorted } from './sorted.js';

/** The outcome of a test: its statistic, and how likely one as large is where nothing differs. */
export interface Tested {
  readonly statistic: number;
  readonly pValue: number;
}

/** Up to so many pairs of values the p value is exact; that takes some 20 ms. */
export const mostExactPairs = 4_000_000;

/**
 * The two-sample Kolmogorov-Smirnov test, two-sided: the largest distance of the two empirical distribution functions.
 * The p value is exact up to `mostExactPairs` for values without ties, and an upper bound where there are some; beyond, it
 * is Kolmogorov's limit with Stephens' correction, within 0.001 of the exact value below 0.05 and within 0.012 above.
 */
export function kolmogorovSmirnov(first: Sorted, second: Sorted): Tested {
  const [n, m] = [first.length, second.length];
  const reached = largestGap(first, second);
  const statistic = reached / (n * m);
  return { statistic, pValue: n * m <= mostExactPairs ? exactTail(n, m, reached) : limitTail(statistic, (n * m) / (n + m)) };
}

/** The largest |i·m − j·n| along the values, where i of the first and j of the second are not greater: a whole number, so no rounding decides. */
function largestGap(first: Sorted, second: Sorted): number {
  const [n, m] = [first.length, second.length];
  let [i, j, largest] = [0, 0, 0];
  while (i < n && j < m) {
    const value = Math.min(first[i]!, second[j]!);
    while (i < n && first[i] === value) i++;
    while (j < m && second[j] === value) j++;
    largest = Math.max(largest, Math.abs(i * m - j * n));
  }
  return largest;
}

/**
 * The share of all orders of n and m values in which the gap gets as large (Hodges 1958). An order is a path from (0, 0)
 * to (n, m); of the paths to (i, j) the share that got there is the mean of its neighbours', weighted by i and j.
 */
export function exactTail(n: number, m: number, gap: number): number {
  if (gap === 0) return 1;
  const shares = new Float64Array(m + 1);
  for (let j = 0; j <= m; j++) shares[j] = j * n >= gap ? 1 : 0;
  for (let i = 1; i <= n; i++) {
    if (i * m >= gap) shares[0] = 1;
    for (let j = 1; j <= m; j++) {
      const reached = Math.abs(i * m - j * n) >= gap;
      shares[j] = reached ? 1 : (i * shares[j]! + j * shares[j - 1]!) / (i + j);
    }
  }
  return shares[m]!;
}

/** Kolmogorov's limiting distribution; `size` is n·m/(n+m). */
export function limitTail(statistic: number, size: number): number {
  const x = (Math.sqrt(size) + 0.12 + 0.11 / Math.sqrt(size)) * statistic;
  if (x < 0.2) return 1;
  let sum = 0;
  if (x < 1) {
    for (let k = 1; k < 20; k += 2) sum += Math.exp((-k * k * Math.PI ** 2) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  for (let k = 1; k < 20; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, Math.max(0, sum));
}
