import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { columnOf } from '../../../../src/domain/features/monitoring/columns.js';
import { driftOf, type FeatureDrift } from '../../../../src/domain/features/monitoring/drift.js';
import { seededRandom } from '../../../../src/domain/features/monitoring/statistics/seeded.js';
import { categoryTests, driftTests, numberTests } from '../../../../src/domain/features/monitoring/tests.js';
import type { FeatureType, FeatureValue } from '../../../../src/domain/features/values.js';

type Values = readonly (FeatureValue | null)[];

const drift = (type: FeatureType, reference: Values, current: Values, tests: object = {}): FeatureDrift => {
  const sampled = (values: Values) => ({ column: columnOf(type, values), rows: values.length });
  return driftOf({ feature: 'f', type }, sampled(reference), sampled(current), driftTests.parse(tests));
};
const normals = (n: number, seed: number, mean = 0) => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => mean + Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
};
const letters = (n: number, seed: number, of = 'abcdef') => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => of[Math.floor(random() * of.length)]!);
};

describe('the test that is made', () => {
  test.each<[string, FeatureType, Values, string]>([
    ['numbers, 1,000 reference values', 'DOUBLE', normals(1000, 1), 'KOLMOGOROV_SMIRNOV'],
    ['numbers, 1,001 reference values', 'DOUBLE', normals(1001, 1), 'WASSERSTEIN'],
    ['three or more categories, 1,000 reference values', 'STRING', letters(1000, 1), 'CHI_SQUARED'],
    ['two categories, 1,000 reference values', 'BOOL', letters(1000, 1).map((letter) => letter > 'c'), 'Z_TEST'],
    ['categories, 1,001 reference values', 'STRING', letters(1001, 1), 'JENSEN_SHANNON'],
    ['lists', 'DOUBLE_LIST', [[1, 2], [3]], 'NONE'],
  ])('of %s', (_what, type, values, made) => {
    expect(drift(type, values, values).test).toBe(made);
  });

  test('counts values, not rows: nulls are no reference', () => {
    expect(drift('DOUBLE', [...normals(1000, 1), null], normals(100, 2)).test).toBe('KOLMOGOROV_SMIRNOV');
  });
});

// Computed with SciPy 1.17.1 from the same rows: ks_2samp(method='exact'), wasserstein_distance over numpy's std(ddof=1),
// chi2_contingency(correction=False), whose statistic for two categories is z squared, and jensenshannon.
describe('by whichever test, a drift is as large as SciPy says', () => {
  const sequence = (n: number, factor: number, modulus: number) => Array.from({ length: n }, (_, at) => (at * factor) % modulus);
  const lettered = (n: number, power: number) => sequence(n, 7919, 997).map((x) => 'abcdef'[Math.min(5, Math.floor((x / 997) ** power * 6))]!);
  const below = (n: number, bound: number) => sequence(n, 7919, 997).map((x) => x < bound);

  test.each<[string, FeatureType, Values, Values, number, number | null]>([
    ['KOLMOGOROV_SMIRNOV', 'DOUBLE', sequence(800, 7919, 997), sequence(600, 104_729, 997).map((x) => x * 1.1), 0.08916666666666667, 0.008112608894575013],
    ['WASSERSTEIN', 'DOUBLE', sequence(3000, 7919, 1009), sequence(2000, 104_729, 1009).map((x) => x * 1.07), 0.1225984356387232, null],
    ['CHI_SQUARED', 'STRING', lettered(900, 1), lettered(500, 1.2), 7.462674306685414, 0.18844093458181366],
    ['Z_TEST', 'BOOL', below(900, 300), below(500, 330), Math.sqrt(0.40009921233450674), 0.5270380239414143],
    ['JENSEN_SHANNON', 'STRING', lettered(3000, 1), lettered(1500, 1.5), 0.12078066895238693, null],
  ])('%s', (made, type, reference, current, statistic, pValue) => {
    const measured = drift(type, reference, current);
    expect(measured).toMatchObject({ test: made, pValue: pValue === null ? null : expect.closeTo(pValue, 10) });
    expect(Math.abs(measured.statistic!)).toBeCloseTo(statistic, 10);
  });
});

describe('a sample has not drifted from itself', () => {
  const number = fc.double({ noNaN: true, min: -1e300, max: 1e300 });
  const tests = { populationStability: 0.1, kullbackLeibler: 0.1, hellinger: 0.1 };
  test('whatever its numbers and the test', () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 50 }), fc.constantFrom(1, 40), fc.constantFrom(...numberTests), (values, repeated, numbers) => {
        const many = Array.from({ length: repeated }, () => values).flat();
        const { statistic, verdict, reference, current } = drift('DOUBLE', many, many, { numbers, ...tests });
        expect({ statistic, verdict }).toEqual({ statistic: 0, verdict: 'STABLE' });
        expect(reference).toEqual(current);
        expect(reference.counts.reduce((sum, count) => sum + count)).toBe(many.length);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('whatever its categories and the test', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 60 }), fc.constantFrom(1, 40), fc.constantFrom(...categoryTests), (values, repeated, categories) => {
        const many = Array.from({ length: repeated }, () => values).flat();
        expect(drift('STRING', many, many, { categories, ...tests })).toMatchObject({ statistic: 0, verdict: 'STABLE' });
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

describe('two samples of the same distribution rarely alarm', () => {
  const rounds = 60;
  const alarms = (make: (seed: number) => FeatureDrift) => Array.from({ length: rounds }, (_, seed) => make(seed * 2 + 1)).filter(({ verdict }) => verdict === 'DRIFTED').length;
  // At 5 % more than 8 of 60 are as rare as 1 in 100.
  test.each<[string, (seed: number) => FeatureDrift]>([
    ['numbers, few', (seed) => drift('DOUBLE', normals(200, seed), normals(200, seed + 1))],
    ['numbers, many against few', (seed) => drift('DOUBLE', normals(1001, seed), normals(40, seed + 1))],
    ['numbers, many', (seed) => drift('DOUBLE', normals(3000, seed), normals(3000, seed + 1))],
    ['categories, few', (seed) => drift('STRING', letters(200, seed), letters(200, seed + 1))],
    ['two categories', (seed) => drift('STRING', letters(200, seed, 'aab'), letters(200, seed + 1, 'aab'))],
    ['categories, many against few', (seed) => drift('STRING', letters(2000, seed), letters(40, seed + 1))],
    ['the stability index over 0.1 on 200 rows', (seed) => drift('DOUBLE', normals(200, seed), normals(200, seed + 1), { numbers: 'POPULATION_STABILITY', populationStability: 0.1 })],
  ])('%s', (_what, make) => {
    expect(alarms(make)).toBeLessThanOrEqual(8);
  });

  test('although a fixed alarm on the stability index would cry wolf', () => {
    const indices = Array.from({ length: rounds }, (_, seed) => drift('DOUBLE', normals(200, 2 * seed + 1), normals(200, 2 * seed + 2), { numbers: 'POPULATION_STABILITY' }));
    expect(indices.filter(({ statistic }) => statistic! >= 0.1).length).toBeGreaterThan(rounds / 5);
    expect(indices.every(({ verdict, reason }) => verdict === 'UNDECIDED' && reason === 'No threshold was given')).toBe(true);
  });
});

describe('a shift alarms', () => {
  test.each<[string, () => FeatureDrift]>([
    ['of half a deviation, few rows', () => drift('DOUBLE', normals(300, 1), normals(300, 2, 0.5))],
    ['of a fifth of a deviation, many rows', () => drift('DOUBLE', normals(3000, 1), normals(3000, 2, 0.2))],
    ['of a deviation, few current rows', () => drift('DOUBLE', normals(3000, 1), normals(60, 2, 1))],
    ['to other categories', () => drift('STRING', letters(300, 1), letters(300, 2, 'abcxyz'))],
    ['to other categories, many rows', () => drift('STRING', letters(3000, 1), letters(3000, 2, 'abcdeeef'))],
    ['of a share', () => drift('BOOL', letters(300, 1).map((letter) => letter > 'c'), letters(300, 2).map((letter) => letter > 'a'))],
    ['away from a constant', () => drift('INT64', new Array(2000).fill(5), new Array(2000).fill(6))],
    ['of the stability index, where there are rows enough', () => drift('DOUBLE', normals(2000, 1), normals(2000, 2, 0.5), { numbers: 'POPULATION_STABILITY', populationStability: 0.2 })],
  ])('%s', (_what, make) => {
    expect(make()).toMatchObject({ verdict: 'DRIFTED', statistic: expect.any(Number) });
  });

  test('and a distance just below its threshold does not', () => {
    const reference = Array.from({ length: 2001 }, (_, at) => at);
    const moved = (by: number) => drift('DOUBLE', reference, reference.map((value) => value + by));
    const deviation = moved(0).reference.deviation!;
    expect(moved(0.0999 * deviation)).toMatchObject({ verdict: 'STABLE', statistic: expect.closeTo(0.0999, 9), threshold: 0.1 });
    expect(moved(0.1001 * deviation)).toMatchObject({ verdict: 'DRIFTED', statistic: expect.closeTo(0.1001, 9) });
  });
});

describe('nothing is decided', () => {
  test.each<[string, Values, Values, RegExp]>([
    ['without reference values', [null], [1], /reference has no values/],
    ['without current values', [1], [], /current window has no values/],
  ])('%s', (_what, reference, current, reason) => {
    expect(drift('DOUBLE', reference, current)).toMatchObject({ verdict: 'UNDECIDED', test: 'NONE', statistic: null, reason: expect.stringMatching(reason) });
  });

  test('of lists of numbers, which are counted: it says so, whatever they hold, and never that they are stable', () => {
    const vectors = (n: number, mean: number) => Array.from({ length: n }, (_, at) => normals(4, at + 1, mean));
    for (const tests of [{}, { numbers: 'WASSERSTEIN' }, { numbers: 'POPULATION_STABILITY', populationStability: 0.1 }]) {
      const measured = drift('DOUBLE_LIST', [...vectors(50, 0), null], vectors(40, 9), tests);
      expect(measured).toMatchObject({ verdict: 'UNDECIDED', test: 'NONE', statistic: null, pValue: null, reason: 'Not tested: lists of numbers are counted, not compared', reference: { rows: 51, nulls: 1 }, current: { rows: 40, nulls: 0 } });
    }
  });

  test('by a z-test of three categories', () => {
    expect(drift('STRING', letters(100, 1), letters(100, 2), { categories: 'Z_TEST' })).toMatchObject({ verdict: 'UNDECIDED', test: 'Z_TEST', reason: 'There are 6 categories; the z-test compares two' });
  });
});

test('the figures of both windows share their bars and categories, so that they can be drawn over each other', () => {
  const { reference, current } = drift('DOUBLE', [0, 1, 2, null], [1, 10]);
  expect(reference).toMatchObject({ rows: 4, sampled: 4, nulls: 1, nullRate: 0.25, distinct: 3, mean: 1, deviation: 1, min: 0, max: 2, edges: current.edges });
  expect(reference.edges).toHaveLength(21);
  expect([reference.edges[0], reference.edges.at(-1)]).toEqual([0, 10]);
  expect([reference.counts[0], reference.counts[2], reference.counts[4], current.counts[2], current.counts[19]]).toEqual([1, 1, 1, 1, 1]);
  const categories = drift('STRING', ['b', 'b', 'a'], ['c', 'x'.repeat(100)]);
  expect(categories.reference.categories).toEqual([{ category: 'b', count: 2 }, { category: 'a', count: 1 }, { category: 'c', count: 0 }, { category: `${'x'.repeat(63)}…`, count: 0 }]);
  expect(categories.current.categories.map(({ count }) => count)).toEqual([0, 0, 1, 1]);
});
