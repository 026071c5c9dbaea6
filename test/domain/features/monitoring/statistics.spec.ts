import { describe, expect, test } from '@jest/globals';
import { DuckDBInstance } from '@duckdb/node-api';
import { createRequire } from 'node:module';
import { chiSquaredTail, normalTails } from '../../../../src/domain/features/monitoring/statistics/chi-squared-tail.js';
import { hellinger, jensenShannon, kullbackLeibler, populationStability, smoothedShares } from '../../../../src/domain/features/monitoring/statistics/divergences.js';
import { exactTail, kolmogorovSmirnov, limitTail } from '../../../../src/domain/features/monitoring/statistics/kolmogorov-smirnov.js';
import { seededRandom } from '../../../../src/domain/features/monitoring/statistics/seeded.js';
import { countsBetween, deviationOf, distinctOf, meanOf, quantileOf, sorted } from '../../../../src/domain/features/monitoring/statistics/sorted.js';
import { chiSquared, zTest } from '../../../../src/domain/features/monitoring/statistics/tables.js';
import { wasserstein, wassersteinTail } from '../../../../src/domain/features/monitoring/statistics/wasserstein.js';

const { jStat } = createRequire(import.meta.url)('jstat');

/** As numpy's linspace. */
const linspace = (from: number, to: number, n: number) => Array.from({ length: n }, (_, at) => from + ((to - from) * at) / (n - 1));
const times = (value: number, n: number) => new Array<number>(n).fill(value);
const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const normals = (n: number, seed: number, mean = 0) => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => mean + normal(random));
};

// The values of SciPy's own tests: scipy/stats/tests/test_stats.py, class TestKSTwoSamples, two-sided.
describe('the Kolmogorov-Smirnov test gives what SciPy gives', () => {
  const x100 = linspace(1, 100, 100);
  const x110 = linspace(1, 100, 110);
  const x2233 = [...times(2, 3), ...times(3, 4), ...times(5, 5), ...times(6, 4)];
  const x2356 = [...times(2, 3), ...times(3, 4), ...times(5, 10), ...times(6, 4)];
  const x3467 = [...times(3, 10), ...times(4, 2), ...times(6, 10), ...times(7, 4)];
  const delta = 1 / 10_000 / 110 / 2 / 2;
  const plus = (values: readonly number[], n: number) => values.map((value) => value + n);
  test.each([
    ['testSmall', [0], [1], 1, 1],
    ['testTwoVsThree', [1.01, 2.01], [1, 2, 3], 1 / 3, 1],
    ['testTwoVsThree, the other way', [0.99, 1.99], [1, 2, 3], 2 / 3, 0.6],
    ['testTwoVsFour', [1.01, 2.01], [1, 2, 3, 4], 2 / 4, 14 / 15],
    ['testTwoVsFour, the other way', [0.99, 1.99], [1, 2, 3, 4], 3 / 4, 6 / 15],
    ['test100_100', x100, plus(x100, 2.1), 3 / 100, 0.9999999999962055],
    ['test100_110', x100, plus(x110, 20.1), 232 / 1100, 0.015739183865607353],
    ['test100_110, the other way', x100, plus(x110, 19.9), 229 / 1100, 0.017803803861026313],
    ['testRepeatedValues', x2233, plus(x2233, 1), 5 / 16, 0.4262934613454952],
    ['testRepeatedValues of two sizes', x2356, x3467, 190 / 21 / 26, 0.0919245790168125],
    ['testEqualSizes', [1, 2, 3], [2, 3, 4], 1 / 3, 1],
    // SciPy gives 4.2e-15 here, the rounding of a difference from 1; twice its one-sided value, 3.1317328311518713e-26, is what is exact.
    ['testLarge', plus(linspace(1, 200, 10_000), -delta), linspace(2, 100, 110), 55275 / 110_000, 2 * 3.1317328311518713e-26],
  ])('%s', (_name, first, second, statistic, pValue) => {
    const tested = kolmogorovSmirnov(sorted(first), sorted(second));
    expect(tested.statistic).toBeCloseTo(statistic, 12);
    expect(tested.pValue / pValue).toBeCloseTo(1, 9);
  });

  test('by its limit too, where the samples are too large for an exact value: testLargeBoth', () => {
    const [n, m] = [10_000, 11_000];
    const { statistic, pValue } = kolmogorovSmirnov(sorted(plus(linspace(1, 200, n), -1 / n / m / 4)), sorted(linspace(2, 200, m)));
    expect(statistic).toBeCloseTo(563 / 110_000, 12);
    expect(Math.abs(pValue - 0.9990456491488628)).toBeLessThan(0.001);
  });

  test('and the limit lies as near to the exact value as is said', () => {
    for (const [n, m] of [[1000, 4001], [100, 40_001], [2001, 2000]] as const) {
      for (const z of [0.6, 0.8, 1, 1.36, 1.6, 2]) {
        const size = (n * m) / (n + m);
        const gap = Math.round((z / Math.sqrt(size)) * n * m);
        const exact = exactTail(n, m, gap);
        expect(Math.abs(limitTail(gap / (n * m), size) - exact)).toBeLessThan(exact < 0.05 ? 0.001 : 0.012);
      }
    }
  });
});

describe('the tests of categories give what SciPy, statsmodels and jStat give', () => {
  test('the example of scipy.stats.chi2_contingency', () => {
    const { statistic, degreesOfFreedom, pValue } = chiSquared([10, 10, 20], [20, 20, 20]);
    expect([statistic, degreesOfFreedom]).toEqual([expect.closeTo(2.7777777777777777, 12), 2]);
    expect(pValue).toBeCloseTo(0.24935220877729619, 12);
  });

  test('the example of statsmodels.stats.proportion.proportions_ztest, and its test test_default_values', () => {
    const { statistic, pValue } = zTest(5, 83, 12, 99);
    expect(statistic).toBeCloseTo(-1.4078304151258787, 12);
    expect(pValue).toBeCloseTo(0.15918129181156992, 12);
  });

  test('the tails of both distributions as jStat has them', () => {
    for (const degrees of [1, 2, 5, 30, 200]) for (const x of [0.1, 1, 5, 30, 180]) expect(chiSquaredTail(x, degrees)).toBeCloseTo(1 - jStat.chisquare.cdf(x, degrees), 9);
    for (const z of [0, 0.3, 1.96, -2.5, 5]) expect(normalTails(z)).toBeCloseTo(2 * (1 - jStat.normal.cdf(Math.abs(z), 0, 1)), 9);
  });

  test('two categories are the same to both tests', () => {
    expect(zTest(50, 83, 40, 99).pValue).toBeCloseTo(chiSquared([50, 33], [40, 59]).pValue, 12);
  });

  test('rare categories are taken together, so that one row of a new one does not alarm', () => {
    expect(chiSquared([500, 500, 0], [50, 49, 1]).pValue).toBeGreaterThan(0.5);
    expect(chiSquared([500, 500, 0], [30, 30, 40]).pValue).toBeLessThan(1e-10);
    expect(chiSquared([3], [5])).toMatchObject({ pValue: 1, degreesOfFreedom: 0 });
  });
});

describe('the distances give what SciPy gives', () => {
  test('the examples of scipy.stats.wasserstein_distance, weights as repetitions', () => {
    expect(wasserstein(sorted([0, 1, 3]), sorted([5, 6, 8]))).toBeCloseTo(5, 12);
    expect(wasserstein(sorted([0, 0, 0, 1]), sorted([0, 0, 1, 1]))).toBeCloseTo(0.25, 12);
    const first = [...times(3.4, 14), ...times(3.9, 9), ...times(7.5, 31), ...times(7.8, 72)];
    expect(wasserstein(sorted(first), sorted([...times(4.5, 32), ...times(1.4, 35)]))).toBeCloseTo(4.0781331438047861, 12);
  });

  test('a Wasserstein distance that chance gives often is likely, and one that it does not is not', () => {
    expect(wassersteinTail(sorted(normals(2000, 3)), sorted(normals(60, 4)))).toBeGreaterThan(0.05);
    expect(wassersteinTail(sorted(normals(2000, 1)), sorted(normals(60, 2, 1)))).toBe(1 / 200);
    expect(wassersteinTail(sorted(normals(200_000, 1)), sorted(normals(60, 2, 1)))).toBe(1 / 200);
  });

  test('the examples of scipy.spatial.distance.jensenshannon', () => {
    expect(jensenShannon([1, 0, 0], [0, 1, 0]) / Math.sqrt(Math.LN2)).toBeCloseTo(1, 12);
    expect(jensenShannon([1, 0], [0.5, 0.5])).toBeCloseTo(0.46450140402245893, 12);
    expect(jensenShannon([1, 0, 0], [1, 0, 0])).toBe(0);
  });

  test('the example of scipy.stats.entropy, and the stability index as both directions of it', () => {
    expect(kullbackLeibler([1 / 2, 1 / 2], [9 / 10, 1 / 10])).toBeCloseTo(0.5108256237659907, 12);
    expect(populationStability([1 / 2, 1 / 2], [9 / 10, 1 / 10])).toBeCloseTo(0.5108256237659907 + 0.3680642071684971, 12);
  });

  test('the Hellinger distance by its definition', () => {
    expect(hellinger([1, 0], [0, 1])).toBeCloseTo(1, 12);
    expect(hellinger([0.5, 0.5], [1, 0])).toBeCloseTo(Math.sqrt(1 - Math.SQRT1_2), 12);
    expect(smoothedShares([0, 1])).toEqual([0.25, 0.75]);
  });
});

test('mean, deviation, quantiles and counts are those of DuckDB', async () => {
  const values = [...normals(501, 7), 3, 3, 3, -1e3];
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`create table t as select unnest([${values.join(',')}]::double[]) as x`);
  const reader = await connection.runAndReadAll(
    `select avg(x), stddev_samp(x), quantile_cont(x, [0.01, 0.25, 0.5, 0.99]), count(distinct x), count(*) filter (x < 0), count(*) filter (x >= 0 and x < 3), count(*) filter (x >= 3) from t`,
  );
  const [mean, deviation, quantiles, distinct, ...counts] = reader.getRowsJS()[0] as [number, number, number[], bigint, ...bigint[]];
  connection.closeSync();
  const ours = sorted(values);
  expect(meanOf(ours)).toBeCloseTo(mean, 10);
  expect(deviationOf(ours)).toBeCloseTo(deviation, 9);
  [0.01, 0.25, 0.5, 0.99].forEach((share, at) => expect(quantileOf(ours, share)).toBeCloseTo(quantiles[at]!, 12));
  expect(distinctOf(ours)).toBe(Number(distinct));
  expect(countsBetween(ours, [-1e6, 0, 3, 1e6])).toEqual(counts.map(Number));
});
