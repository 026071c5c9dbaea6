import { chiSquaredTail, normalTails } from './chi-squared-tail.js';
import type { Tested } from './kolmogorov-smirnov.js';

/** Cells in which less is to be expected spoil the chi-squared approximation (Cochran 1954). */
const leastExpected = 1;

/**
 * Pearson's chi-squared test that two samples fall into cells with the same shares, without Yates' correction. Cells in
 * which less than one value of either sample is to be expected are taken together first.
 */
export function chiSquared(first: readonly number[], second: readonly number[]): Tested & { readonly degreesOfFreedom: number } {
  const [n, m] = [sumOf(first), sumOf(second)];
  const cells = pooled(first.map((count, at) => [count, second[at]!] as const), n, m);
  let statistic = 0;
  for (const [ofFirst, ofSecond] of cells) {
    const together = ofFirst + ofSecond;
    const [expectedFirst, expectedSecond] = [(together * n) / (n + m), (together * m) / (n + m)];
    statistic += (ofFirst - expectedFirst) ** 2 / expectedFirst + (ofSecond - expectedSecond) ** 2 / expectedSecond;
  }
  const degreesOfFreedom = Math.max(0, cells.length - 1);
  return { statistic, degreesOfFreedom, pValue: degreesOfFreedom === 0 ? 1 : chiSquaredTail(statistic, degreesOfFreedom) };
}

/** The z-test that two samples have the same share, with the variance of both together. Two-sided. */
export function zTest(first: number, n: number, second: number, m: number): Tested {
  const share = (first + second) / (n + m);
  const deviation = Math.sqrt(share * (1 - share) * (1 / n + 1 / m));
  if (deviation === 0) return { statistic: 0, pValue: 1 };
  const statistic = (first / n - second / m) / deviation;
  return { statistic, pValue: normalTails(statistic) };
}

export const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

type Cell = readonly [first: number, second: number];

/** The rare cells as one; when that one is rare still, the rarest of the others goes into it too. */
function pooled(cells: readonly Cell[], n: number, m: number): readonly Cell[] {
  const filled = cells.filter(([first, second]) => first + second > 0).sort((a, b) => a[0] + a[1] - (b[0] + b[1]));
  const rare = ([first, second]: Cell) => ((first + second) * Math.min(n, m)) / (n + m) < leastExpected;
  let rest: Cell = [0, 0];
  let at = 0;
  for (; at < filled.length && (rare(filled[at]!) || (at > 0 && rare(rest))); at++) rest = [rest[0] + filled[at]![0], rest[1] + filled[at]![1]];
  return at === 0 ? filled : [rest, ...filled.slice(at)];
}
