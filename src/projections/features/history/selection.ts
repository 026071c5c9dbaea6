import type { EntityKey } from '../../../domain/features/definition.js';
import { referenceOf } from '../../../domain/features/reference.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import type { FeatureServiceDefinition } from '../../../domain/features/services/state.js';
import type { FeatureType } from '../../../domain/features/values.js';
import { Refusal, type FieldViolation } from '../../../domain/kit/index.js';
import type { Derived } from '../transformations/plan.js';
import type { ReadableTransformation } from '../../../domain/features/transformations/readable.js';
import { groupOf, Planning } from './planning.js';

/** How a question names its features: one by one, or by the service that names them. */
export interface Asked {
  readonly features: readonly string[];
  readonly service?: string;
  readonly fullNames: boolean;
}

/** Refuses a question that names no features, or names them twice. */
export function requireAsked({ features, service }: Asked): void {
  if (features.length === 0 && !service) refuse([{ field: 'features', description: 'names at least one feature, unless a service is named' }]);
  if (features.length > 0 && service) refuse([{ field: 'features', description: 'are given beside a service; one of the two is enough' }]);
}

/** The question with the features of the service. */
export const askedOf = <Question extends Asked>(question: Question, { features, fullNames }: FeatureServiceDefinition): Question => ({
  ...question,
  features,
  fullNames: question.fullNames || fullNames,
});

/** What a caller wants to know, before anything is known of the groups. */
export interface Selection {
  /** `group:feature`, or `group` for all its features; `group@2` or an alias stands where a group does. */
  readonly features: readonly string[];
  readonly aliases: readonly Alias[];
  /** Names the columns `group__feature` instead of `feature`. */
  readonly fullNames: boolean;
  /** The service that named the features. */
  readonly service?: string;
}

/** Another name for a group, so that it can be joined twice (origin, destination), or by columns that are not called like its keys. */
export interface Alias {
  readonly alias: string;
  readonly group: string;
  /** Which column of the request holds a key of the group; left out where the two have the same name. */
  readonly keyColumns: Readonly<Record<string, string>>;
}

/** One group joined to the request. */
export interface PlannedJoin {
  /** The alias, or the group's own name. */
  readonly name: string;
  readonly definition: FeatureGroupDefinition;
  readonly features: readonly string[];
  /** The request's column for each of the group's keys, in the group's order. */
  readonly keys: readonly (EntityKey & { readonly column: string })[];
}

/** One column of the answer: a feature of a join. */
export interface PlannedColumn {
  readonly name: string;
  readonly type: FeatureType;
  readonly dimensions?: number;
  readonly join: number;
  readonly feature: number;
}

export interface Plan {
  readonly joins: readonly PlannedJoin[];
  /** The columns of the answer; where some are computed, also the inputs of those. */
  readonly columns: readonly PlannedColumn[];
  /** There where columns are computed by transformations. */
  readonly derived?: Derived;
}

/** The groups that a selection needs, each once. Refuses aliases that are not unique. */
export function groupsOf({ features, aliases }: Selection): string[] {
  aliases.forEach(({ alias }, at) => {
    if (aliases.findIndex((other) => other.alias === alias) < at) refuse([{ field: `aliases[${at}].alias`, description: `is ${alias} like another` }]);
  });
  return [...new Set(features.map((text) => groupOf(referenceOf(text).name, aliases)))];
}

/**
 * What to join and how the answer's columns are called: `feature`, or `group__feature` with full names, where the
 * alias stands for the group. Refuses what a group does not have, and names that are not unique.
 */
export function planOf(
  selection: Selection,
  definitions: ReadonlyMap<string, FeatureGroupDefinition>,
  requestColumns: Iterable<string>,
  transformations: ReadonlyMap<string, ReadableTransformation> = noTransformations,
): Plan {
  const planning = new Planning(selection, { definitions, transformations }, requestColumns);
  selection.features.forEach((text, at) => planning.show(text, at));
  planning.faults.push(...unknownKeys(selection.aliases, definitions));
  if (planning.faults.length > 0) refuse(planning.faults.map((fault) => ofService(fault, selection)));
  return planning.plan();
}

/** Who named a service sees no list of features, so a fault in it is told with the feature and the service. */
function ofService(fault: FieldViolation, { service, features }: Selection): FieldViolation {
  const at = /^features\[(\d+)\]$/.exec(fault.field)?.[1];
  return service && at !== undefined ? { field: 'service', description: `${service} has ${features[Number(at)]}, which ${fault.description}` } : fault;
}

const noTransformations: ReadonlyMap<string, ReadableTransformation> = new Map();

function unknownKeys(aliases: readonly Alias[], definitions: ReadonlyMap<string, FeatureGroupDefinition>): FieldViolation[] {
  return aliases.flatMap(({ group, keyColumns }, at) =>
    Object.keys(keyColumns)
      .filter((key) => definitions.has(group) && !definitions.get(group)!.entities.some(({ name }) => name === key))
      .map((key) => ({ field: `aliases[${at}].keyColumns.${key}`, description: `is no key of ${group}` })),
  );
}

function refuse(faults: readonly FieldViolation[]): never {
  throw new Refusal('INVALID_ARGUMENT', faults.map(({ field, description }) => `${field} ${description}`).join('; '), { reason: 'INVALID_INPUT', fields: faults });
}
