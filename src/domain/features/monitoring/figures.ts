import { z } from 'zod';
import { featureTypes, type FeatureType } from '../values.js';
import { presentIn, type SampledColumn } from './columns.js';
import { countsBetween, deviationOf, distinctOf, meanOf, quantileOf } from './statistics/sorted.js';

const count = z.int().nonnegative();

/** What is known of one feature in one window, in the form in which it can be drawn. */
export const featureFigures = z
  .object({
    feature: z.string(),
    type: z.enum(featureTypes).meta({ id: 'FeatureType' }),
    rows: count.describe('How many rows the window has; an estimate where not all were looked at.'),
    sampled: count.describe('How many of them the other figures are of.'),
    nulls: count,
    nullRate: z.number(),
    distinct: count.describe('How many different values the sampled rows have.'),
    mean: z.number().nullable(),
    deviation: z.number().nullable().describe('The standard deviation of a sample, over n - 1.'),
    min: z.number().nullable(),
    max: z.number().nullable(),
    percentiles: z.array(z.object({ percent: z.number(), value: z.number() }).meta({ id: 'Percentile' })),
    edges: z.array(z.number()).describe('The edges of the bars of a histogram, one more than there are bars.'),
    counts: z.array(count).describe('How many values lie between two edges.'),
    categories: z.array(z.object({ category: z.string(), count }).meta({ id: 'CategoryCount' })).describe('The most frequent values of a feature that has no numbers.'),
    otherCategories: count.describe('How many values belong to none of the categories named.'),
  })
  .meta({ id: 'FeatureFigures' });
export type FeatureFigures = z.output<typeof featureFigures>;

/** Which percentiles are told. */
export const percents = [1, 5, 25, 50, 75, 95, 99];
const bars = 20;
const mostCategories = 20;
const longestCategory = 64;

/** How the values of one or more windows are divided for drawing: the same edges and the same categories, so that they can be laid over each other. */
export interface Scale {
  readonly edges: readonly number[];
  readonly categories: readonly string[];
}

/** Bars of equal width over all numbers, and the most frequent categories, those of the first window before others. */
export function scaleOf(columns: readonly SampledColumn[]): Scale {
  const numbers = columns.flatMap((column) => (column.kind === 'number' && column.numbers.length > 0 ? [column.numbers[0]!, column.numbers.at(-1)!] : []));
  const categories = columns.flatMap((column) => (column.kind === 'category' ? [...column.counts].sort(frequentFirst).map(([category]) => category) : []));
  return { edges: numbers.length === 0 ? [] : edgesOver(Math.min(...numbers), Math.max(...numbers)), categories: [...new Set(categories)].slice(0, mostCategories) };
}

/** The figures of a feature in one window of so many rows. */
export function figuresOf({ feature, type }: { feature: string; type: FeatureType }, column: SampledColumn, rows: number, scale: Scale = scaleOf([column])): FeatureFigures {
  const present = presentIn(column);
  const sampled = present + column.nulls;
  return { feature, type, rows, sampled, nulls: column.nulls, nullRate: sampled === 0 ? 0 : column.nulls / sampled, ...noValues, ...(present > 0 && valueFigures(column, scale)) };
}

const noValues = { distinct: 0, mean: null, deviation: null, min: null, max: null, percentiles: [], edges: [], counts: [], categories: [], otherCategories: 0 };

function valueFigures(column: SampledColumn, { edges, categories }: Scale): Partial<FeatureFigures> {
  switch (column.kind) {
    case 'number': {
      const { numbers } = column;
      const mean = meanOf(numbers);
      const percentiles = percents.map((percent) => ({ percent, value: quantileOf(numbers, percent / 100) }));
      return { distinct: distinctOf(numbers), mean, deviation: deviationOf(numbers, mean), min: numbers[0]!, max: numbers.at(-1)!, percentiles, edges: [...edges], counts: countsBetween(numbers, edges) };
    }
    case 'category': {
      const counted = categories.map((category) => ({ category: shortened(category), count: column.counts.get(category) ?? 0 }));
      const named = counted.reduce((sum, one) => sum + one.count, 0);
      return { distinct: column.counts.size, categories: counted, otherCategories: presentIn(column) - named };
    }
    case 'other':
      return {};
  }
}

/** Edges of bars of equal width. A single value stands in the middle of the only bar. */
function edgesOver(min: number, max: number): number[] {
  if (min === max) {
    const half = Math.max(0.5, Math.abs(min) * Number.EPSILON * 2);
    return [min - half, max + half];
  }
  // By shares of both ends, because their difference may be beyond what a double holds.
  return Array.from({ length: bars + 1 }, (_, at) => (at === bars ? max : min * (1 - at / bars) + max * (at / bars)));
}

const frequentFirst = ([a, n]: readonly [string, number], [b, m]: readonly [string, number]): number => m - n || (a < b ? -1 : 1);

const shortened = (category: string): string => ([...category].length <= longestCategory ? category : `${[...category].slice(0, longestCategory - 1).join('')}…`);
