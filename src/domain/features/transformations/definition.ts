import { z } from 'zod';
import { resourceName } from '../../kit/index.js';
import { featureTypes } from '../values.js';
import { longestExpression } from './expressions/parse.js';

const featureType = z.enum(featureTypes).meta({ id: 'FeatureType' });
const finite = z.number();
const input = resourceName.describe('An input, or an earlier output.');

/** What a window says of the rows in it. */
export const windowAggregates = ['COUNT', 'SUM', 'MEAN', 'MIN', 'MAX', 'LAST'] as const;
export type WindowAggregate = (typeof windowAggregates)[number];

/** The longest window: 366 days. */
const longestWindow_seconds = 31_622_400;

/** A feature that a transformation is given: by which name its outputs know it, where it comes from, and its type. */
export const transformationInput = z
  .object({
    name: resourceName,
    feature: z.string().regex(/^[a-z][a-z0-9_]{0,62}(@[1-9][0-9]{0,5})?:[a-z][a-z0-9_]{0,62}$/, 'takes group:feature'),
    type: featureType,
  })
  .meta({ id: 'InputFeature' });
export type TransformationInput = z.output<typeof transformationInput>;

/** One feature that a transformation gives. Exactly one of the ways to make it is given; each is null where its input is. */
export const transformationOutput = z
  .object({
    name: resourceName,
    /** Arithmetic, comparisons, choices and functions over inputs and earlier outputs. */
    expression: z.string().min(1).max(longestExpression).optional(),
    /** How many standard deviations a number lies above the mean. */
    normalize: z.object({ input, mean: finite, std: finite.positive() }).meta({ id: 'Normalize' }).optional(),
    /** A number's place between two bounds: 0 at the lower, 1 at the upper. */
    minMax: z.object({ input, min: finite, max: finite }).meta({ id: 'MinMax' }).optional(),
    /** A number, or the bound that it lies beyond. */
    clip: z.object({ input, min: finite.optional(), max: finite.optional() }).meta({ id: 'Clip' }).optional(),
    /** How many of the ascending boundaries are not above the number: 0 below the first. */
    bucketize: z.object({ input, boundaries: z.array(finite).min(1).max(1000) }).meta({ id: 'Bucketize' }).optional(),
    /** A list with a 1 at the place of the category and 0 elsewhere; all 0 for another value. Whole numbers as digits. */
    oneHot: z.object({ input, categories: z.array(z.string().max(1024)).min(1).max(1000) }).meta({ id: 'OneHot' }).optional(),
    /** A whole number below `buckets`, the same for the same value and seed for ever. */
    hash: z.object({ input, buckets: z.int().min(1).max(2_147_483_647), seed: z.int().min(0).max(2_147_483_647).default(0) }).meta({ id: 'Hash' }).optional(),
    /** Of the entity's rows with event times in (t - duration, t], where t is the time of the read, or that of the row joined to. */
    window: z
      .object({ aggregate: z.enum(windowAggregates).meta({ id: 'WindowAggregate' }), input: input.optional(), durationSeconds: z.int().min(1).max(longestWindow_seconds) })
      .meta({ id: 'Window' })
      .optional(),
  })
  .meta({ id: 'DerivedFeature' });
export type TransformationOutput = z.output<typeof transformationOutput>;

/** An output with its type, as it was found at registration. */
export const typedOutput = transformationOutput.extend({ type: featureType }).meta({ id: 'TypedDerivedFeature' });
export type TypedOutput = z.output<typeof typedOutput>;

/** The ways to make an output, as the fields that say them. */
export const ways = ['expression', 'normalize', 'minMax', 'clip', 'bucketize', 'oneHot', 'hash', 'window'] as const;
export type Way = (typeof ways)[number];
