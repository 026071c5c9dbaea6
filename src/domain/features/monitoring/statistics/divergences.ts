import { sumOf } from './tables.js';

/** Shares that sum to 1, cell by cell. */
export type Shares = readonly number[];

export const sharesOf = (counts: readonly number[]): Shares => {
  const sum = sumOf(counts);
  return counts.map((count) => count / sum);
};

/** Shares of counts of which half a one more is taken in each cell (Krichevsky and Trofimov), so that an empty cell makes nothing infinite. */
export const smoothedShares = (counts: readonly number[]): Shares => sharesOf(counts.map((count) => count + 0.5));

/** The Kullback-Leibler divergence of p from q, in nats. */
export const kullbackLeibler = (p: Shares, q: Shares): number => Math.max(0, total(p, (share, at) => (share === 0 ? 0 : share * Math.log(share / q[at]!))));

/** The population stability index: both Kullback-Leibler divergences together. */
export const populationStability = (p: Shares, q: Shares): number => total(p, (share, at) => (share === q[at] ? 0 : (share - q[at]!) * Math.log(share / q[at]!)));

/** The Jensen-Shannon distance with the natural logarithm: 0 for the same shares, 0.8326 for shares that never meet. */
export function jensenShannon(p: Shares, q: Shares): number {
  const middle = p.map((share, at) => (share + q[at]!) / 2);
  return Math.sqrt((kullbackLeibler(p, middle) + kullbackLeibler(q, middle)) / 2);
}

/** The Hellinger distance, from 0 to 1. */
export const hellinger = (p: Shares, q: Shares): number => Math.sqrt(total(p, (share, at) => (Math.sqrt(share) - Math.sqrt(q[at]!)) ** 2) / 2);

const total = (shares: Shares, of: (share: number, at: number) => number): number => shares.reduce((sum, share, at) => sum + of(share, at), 0);
