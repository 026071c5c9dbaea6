import { z } from 'zod';
import type { FeatureType } from '../values.js';
import { presentIn, type SampledColumn } from './columns.js';
import { featureFigures, figuresOf, scaleOf } from './figures.js';
import { hellinger, jensenShannon, kullbackLeibler, populationStability, sharesOf, smoothedShares } from './statistics/divergences.js';
import { kolmogorovSmirnov } from './statistics/kolmogorov-smirnov.js';
import { countsBetween, deviationOf, quantileOf, sorted, type Sorted } from './statistics/sorted.js';
import { chiSquared, zTest } from './statistics/tables.js';
import { wasserstein, wassersteinTail } from './statistics/wasserstein.js';
import { measuredTests, mostTestedValues, type DriftTests, type MeasuredTest } from './tests.js';

export const verdicts = ['DRIFTED', 'STABLE', 'UNDECIDED'] as const;

/** How far one feature has moved, with everything that a plot of it needs. */
export const featureDrift = z
  .object({
    feature: z.string(),
    test: z.enum(measuredTests).meta({ id: 'DriftTest' }),
    statistic: z.number().nullable(),
    pValue: z.number().nullable().describe('How likely a difference as large is by chance.'),
    threshold: z.number().nullable().describe('From where on the feature counts as drifted: a largest p value, or a smallest distance.'),
    verdict: z.enum(verdicts).meta({ id: 'DriftVerdict' }),
    reason: z.string().describe('The verdict in words.'),
    reference: featureFigures,
    current: featureFigures,
  })
  .meta({ id: 'FeatureDrift' });
export type FeatureDrift = z.output<typeof featureDrift>;

/** A feature in a window: its sampled values, and how many rows the window has. */
export interface Sampled {
  readonly column: SampledColumn;
  readonly rows: number;
}

/** Compares a feature between two windows. */
export function driftOf(spec: { feature: string; type: FeatureType }, reference: Sampled, current: Sampled, tests: DriftTests): FeatureDrift {
  const scale = scaleOf([reference.column, current.column]);
  return {
    feature: spec.feature,
    ...measured(reference.column, current.column, tests),
    reference: figuresOf(spec, reference.column, reference.rows, scale),
    current: figuresOf(spec, current.column, current.rows, scale),
  };
}

type Measured = Pick<FeatureDrift, 'test' | 'statistic' | 'pValue' | 'threshold' | 'verdict' | 'reason'>;

function measured(reference: SampledColumn, current: SampledColumn, tests: DriftTests): Measured {
  const few = [reference, current].findIndex((column) => presentIn(column) === 0);
  if (few >= 0) return undecided(`The ${few === 0 ? 'reference' : 'current window'} has no values`);
  if (reference.kind === 'number' && current.kind === 'number') return numbersMeasured(reference.numbers, current.numbers, tests);
  if (reference.kind === 'category' && current.kind === 'category') return categoriesMeasured(reference.counts, current.counts, tests);
  return undecided('Not tested: lists of numbers are counted, not compared');
}

function numbersMeasured(reference: Sorted, current: Sorted, tests: DriftTests): Measured {
  const test = tests.numbers === 'AUTO' ? (reference.length <= mostTestedValues ? 'KOLMOGOROV_SMIRNOV' : 'WASSERSTEIN') : tests.numbers;
  switch (test) {
    case 'KOLMOGOROV_SMIRNOV':
      return byChance(test, kolmogorovSmirnov(reference, current), tests.pValue);
    case 'WASSERSTEIN':
      return byDistance(test, wasserstein(reference, current) / scaleOfDistance(reference, current), tests.wasserstein, current.length, () => wassersteinTail(reference, current));
    default: {
      const edges = decileEdges(reference);
      return divergence(test, countsBetween(reference, edges), countsBetween(current, edges), tests);
    }
  }
}

function categoriesMeasured(reference: ReadonlyMap<string, number>, current: ReadonlyMap<string, number>, tests: DriftTests): Measured {
  const categories = [...new Set([...reference.keys(), ...current.keys()])].sort();
  const [first, second] = [reference, current].map((counts) => categories.map((category) => counts.get(category) ?? 0)) as [number[], number[]];
  const n = first.reduce((sum, count) => sum + count, 0);
  const test = tests.categories === 'AUTO' ? (n > mostTestedValues ? 'JENSEN_SHANNON' : categories.length > 2 ? 'CHI_SQUARED' : 'Z_TEST') : tests.categories;
  switch (test) {
    case 'CHI_SQUARED':
      return byChance(test, chiSquared(first, second), tests.pValue);
    case 'Z_TEST':
      if (categories.length > 2) return { ...undecided(`There are ${categories.length} categories; the z-test compares two`), test };
      return byChance(test, zTest(first[0]!, n, second[0]!, second.reduce((sum, count) => sum + count, 0)), tests.pValue);
    default:
      return divergence(test, first, second, tests);
  }
}

/** A difference counts when it is too unlikely to be chance. */
function byChance(test: MeasuredTest, { statistic, pValue }: { statistic: number; pValue: number }, threshold: number): Measured {
  const drifted = pValue <= threshold;
  const reason = `By chance the difference would be as large ${drifted ? 'in at most' : 'in more than'} ${percent(threshold)} of the cases`;
  return { test, statistic, pValue, threshold, verdict: drifted ? 'DRIFTED' : 'STABLE', reason };
}

/**
 * A distance counts from its threshold on. Few current values lie far from any reference by chance alone, so there a
 * distance must also be unlikely.
 */
function byDistance(test: MeasuredTest, statistic: number, threshold: number, currentValues: number, tail: () => number): Measured {
  const as = { test, statistic, threshold };
  if (statistic < threshold) return { ...as, pValue: null, verdict: 'STABLE', reason: `The distance is below ${threshold}` };
  if (currentValues >= mostTestedValues) return { ...as, pValue: null, verdict: 'DRIFTED', reason: `The distance is at least ${threshold}` };
  const pValue = tail();
  const drifted = pValue <= chance;
  const reason = `The distance is at least ${threshold}, and ${drifted ? 'too large for chance' : `no more than ${currentValues} values give by chance`}`;
  return { ...as, pValue, verdict: drifted ? 'DRIFTED' : 'STABLE', reason };
}

/** What is seldom enough not to be taken for chance, where a distance is large. */
const chance = 0.05;

type Divergence = 'JENSEN_SHANNON' | 'POPULATION_STABILITY' | 'KULLBACK_LEIBLER' | 'HELLINGER';

/** A divergence of shares in cells. Its size depends on the number of values, so it never alarms against the chi-squared test of the same cells. */
function divergence(test: Divergence, first: readonly number[], second: readonly number[], tests: DriftTests): Measured {
  const { threshold, statistic } = divergences[test](first, second, tests);
  if (threshold === undefined) return { ...undecided('No threshold was given'), test, statistic };
  const always = test === 'JENSEN_SHANNON' ? second.reduce((sum, count) => sum + count, 0) : 0;
  return byDistance(test, statistic, threshold, always, () => chiSquared(first, second).pValue);
}

const divergences: Record<Divergence, (first: readonly number[], second: readonly number[], tests: DriftTests) => { statistic: number; threshold: number | undefined }> = {
  JENSEN_SHANNON: (first, second, tests) => ({ statistic: jensenShannon(sharesOf(first), sharesOf(second)), threshold: tests.jensenShannon }),
  POPULATION_STABILITY: (first, second, tests) => ({ statistic: populationStability(smoothedShares(first), smoothedShares(second)), threshold: tests.populationStability }),
  KULLBACK_LEIBLER: (first, second, tests) => ({ statistic: kullbackLeibler(smoothedShares(second), smoothedShares(first)), threshold: tests.kullbackLeibler }),
  HELLINGER: (first, second, tests) => ({ statistic: hellinger(sharesOf(first), sharesOf(second)), threshold: tests.hellinger }),
};

/** The standard deviation of the reference; where it does not vary, that of all values. */
function scaleOfDistance(reference: Sorted, current: Sorted): number {
  return deviationOf(reference) || deviationOf(sorted([...reference, ...current])) || 1;
}

/** Ten stretches that hold as many reference values each, fewer where values repeat; what lies outside belongs to the outermost. */
function decileEdges(reference: Sorted): number[] {
  const inner = new Set(Array.from({ length: 9 }, (_, at) => quantileOf(reference, (at + 1) / 10)));
  return [-Infinity, ...inner, Infinity];
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

const undecided = (reason: string): Measured => ({ test: 'NONE', statistic: null, pValue: null, threshold: null, verdict: 'UNDECIDED', reason });
