import type { FeatureType } from '../values.js';
import type { TransformationOutput } from './definition.js';
import { finite, toDouble, type Int64 } from './expressions/numbers.js';
import { isNumber, ofOne, type Typed } from './expressions/typed.js';
import { bucketOf } from './hash.js';

/** Why an output cannot be made: the part of it that is at fault, and a sentence. */
export class StepFault extends Error {
  constructor(
    readonly field: string,
    readonly sentence: string,
  ) {
    super(`${field} ${sentence}`);
  }
}

type Step = keyof typeof steps;
type Given<Way extends keyof TransformationOutput> = NonNullable<TransformationOutput[Way]>;

/** The ways to make an output of one input that are no expression. */
export const steps = {
  normalize: (input: Typed, { mean, std }: Given<'normalize'>) => ofNumber(input, (value) => (value - mean) / std),
  minMax: (input: Typed, { min, max }: Given<'minMax'>) => {
    if (!(min < max)) throw new StepFault('max', 'must be greater than min');
    return ofNumber(input, (value) => (value - min) / (max - min));
  },
  clip: (input: Typed, { min = -Infinity, max = Infinity }: Given<'clip'>) => {
    if (min > max) throw new StepFault('max', 'must not be less than min');
    if (min === -Infinity && max === Infinity) throw new StepFault('min', 'or max is needed');
    return ofNumber(input, (value) => Math.min(Math.max(value, min), max));
  },
  bucketize: (input: Typed, { boundaries }: Given<'bucketize'>) => {
    const place = boundaries.findIndex((boundary, at) => at > 0 && !(boundary > boundaries[at - 1]!));
    if (place > 0) throw new StepFault(`boundaries[${place}]`, 'must be greater than the one before');
    return ofOne('INT64', requireNumber(input), (value: Int64) => notAbove(boundaries, toDouble(value)));
  },
  oneHot: (input: Typed, { categories }: Given<'oneHot'>) => {
    const places = new Map(categories.map((category, place) => [category, place]));
    if (places.size < categories.length) throw new StepFault('categories', 'names a category twice');
    return ofOne('DOUBLE_LIST', requireTextual(input), (value: Int64 | boolean) => {
      const hot = new Array<number>(categories.length).fill(0);
      const place = places.get(String(value));
      if (place !== undefined) hot[place] = 1;
      return hot;
    });
  },
  hash: (input: Typed, { buckets, seed }: Given<'hash'>) => ofOne('INT64', requireTextual(input), (value: Int64 | boolean) => bucketOf(String(value), seed, buckets)),
};

/** Makes an output of one input ready to be computed. Throws a StepFault. */
export const stepOf = (way: Step, input: Typed, given: { readonly input: string }): Typed => (steps[way] as (input: Typed, given: object) => Typed)(input, given);

export const isStep = (way: string): way is Step => Object.hasOwn(steps, way);

function ofNumber(input: Typed, compute: (value: number) => number): Typed {
  return ofOne('DOUBLE', requireNumber(input), (value: Int64) => finite(compute(toDouble(value))));
}

function requireNumber(input: Typed): Typed {
  if (isNumber(input)) return input;
  throw new StepFault('input', `is ${input.type}, not a number`);
}

const textual: readonly FeatureType[] = ['STRING', 'INT64', 'BOOL'];

/** Of these types a value has one text, whichever way it came. */
function requireTextual(input: Typed): Typed {
  if (textual.includes(input.type as FeatureType)) return input;
  throw new StepFault('input', `is ${input.type}, not one of ${textual.join(', ')}`);
}

/** How many of the ascending boundaries a value has reached. */
function notAbove(boundaries: readonly number[], value: number): number {
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (boundaries[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
