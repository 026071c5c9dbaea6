import { z } from 'zod';
import { description, resourceName } from '../kit/index.js';
import { entityTypes, featureTypes, type FeatureType } from './values.js';

const featureType = z.enum(featureTypes).meta({ id: 'FeatureType' });
const entityType = z.enum(entityTypes).meta({ id: 'EntityType' });

/** One part of a group's key: what an entity is found by. */
export const entityKey = z.object({ name: resourceName, type: entityType }).meta({ id: 'EntityKey' });
export type EntityKey = z.output<typeof entityKey>;

/** What a feature's values must fulfil; a field left out demands nothing. */
export const featureConstraints = z
  .object({
    /** Every row gives a value. */
    required: z.boolean().optional(),
    /** No two rows of one request give the same value. */
    unique: z.boolean().optional(),
    /** The smallest and the largest number, both allowed; for a list, of each element. */
    min: z.number().optional(),
    max: z.number().optional(),
    /** The only values allowed; whole numbers as digits. */
    oneOf: z.array(z.string().max(1024)).max(1000).optional(),
    /** A regular expression in RE2's syntax that the whole string matches. */
    pattern: z.string().min(1).max(1024).optional(),
    /** The most characters of a string. */
    maxLength: z.int().positive().max(65_536).optional(),
    /** The exact number of elements of a list. */
    dimensions: z.int().positive().max(16_384).optional(),
  })
  // An empty list is how protobuf says none.
  .overwrite(({ oneOf, ...others }) => (oneOf?.length ? { ...others, oneOf } : others))
  .meta({ id: 'FeatureConstraints' });
export type FeatureConstraints = z.output<typeof featureConstraints>;

/** For which types a constraint means something. */
const constraintTypes: Record<keyof FeatureConstraints, readonly FeatureType[]> = {
  required: featureTypes,
  unique: ['INT64', 'DOUBLE', 'STRING', 'BOOL', 'TIMESTAMP'],
  min: ['INT64', 'DOUBLE', 'DOUBLE_LIST'],
  max: ['INT64', 'DOUBLE', 'DOUBLE_LIST'],
  oneOf: ['STRING', 'INT64'],
  pattern: ['STRING'],
  maxLength: ['STRING'],
  dimensions: ['DOUBLE_LIST'],
};

/** An output of one version of a transformation: `usage@1:share`. */
const computedBy = z.string().regex(/^[a-z][a-z0-9_]{0,62}@[1-9][0-9]{0,5}:[a-z][a-z0-9_]{0,62}$/, 'takes transformation@version:output');

/** One feature as its group declares it. */
export const featureSpec = z
  .object({
    name: resourceName,
    type: featureType,
    description: description.default(''),
    constraints: featureConstraints.default({}),
    /** The output of a transformation that computes it of each row as it is written; rows then give no value. */
    transformation: computedBy.optional(),
  })
  .superRefine(({ name, type, constraints }, context) => {
    const refuse = (constraint: string, message: string) => context.addIssue({ code: 'custom', path: ['constraints', constraint], message });
    for (const constraint of Object.keys(constraints) as (keyof FeatureConstraints)[]) {
      if (constraints[constraint] === undefined || constraintTypes[constraint].includes(type)) continue;
      refuse(constraint, `does not apply to ${name}, which is ${type}`);
    }
    const { min, max, oneOf } = constraints;
    if (min !== undefined && max !== undefined && min > max) refuse('min', 'is greater than max');
    if (type === 'INT64' && oneOf?.some((digits) => !/^(0|-?[1-9]\d{0,18})$/.test(digits))) refuse('oneOf', 'takes whole numbers as digits');
  })
  .meta({ id: 'FeatureSpec' });
export type FeatureSpec = z.output<typeof featureSpec>;

/** Where the rows of a version of a group come from, for people and lineage: `table` and `warehouse.payments`, a topic, a file. */
export const featureSource = z
  .object({ kind: resourceName, name: z.string().min(1).max(1024), description: description.optional() })
  .meta({ id: 'FeatureSource' });
export type FeatureSource = z.output<typeof featureSource>;

/** The keys of a group: one to eight, each name once. */
export const entityKeys = z.array(entityKey).min(1).max(8).refine((keys) => namesDiffer(keys), 'names a key twice');

/** Seconds after which a value is too old to be used; 0 for never. At most a hundred years. */
export const ttlSeconds = z.int().min(0).max(3_155_760_000);

/** Who answers for a group or a service. */
export const owner = z.string().max(256);

/** Labels for people and searches. */
export const tags = z
  .record(z.string().min(1).max(63), z.string().max(256))
  .refine((labels) => Object.keys(labels).length <= 64, 'takes at most 64 tags');

/** Streams among which a group's rows are spread: more let one entity's history be read faster, fewer make small writes cheaper. */
export const partitions = z.int().min(1).max(64);

/** The most features of one group. */
export const mostFeatures = 1000;

/** Whether no two of them have the same name. */
export function namesDiffer(named: readonly { readonly name: string }[]): boolean {
  return new Set(named.map(({ name }) => name)).size === named.length;
}
