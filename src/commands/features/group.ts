import type { EntityType } from '../../domain/features/values.js';
import type { FeatureGroupDefinition } from '../../domain/features/state.js';
import { computedFeaturesOf, type ComputedFeature, type TransformationOf } from './computed-columns.js';
import { checkOf, readers, type Check } from './checks.js';

/** A group's definition made ready for checking rows. */
export interface WritableGroup {
  readonly definition: FeatureGroupDefinition;
  readonly entities: readonly { readonly name: string; readonly type: EntityType; readonly check: Check }[];
  readonly features: readonly WritableFeature[];
}

export interface WritableFeature {
  readonly name: string;
  readonly required: boolean;
  readonly unique: boolean;
  readonly check: Check;
  /** Computes the column from those that stand before it, where rows give no value. */
  readonly computed?: ComputedFeature;
}

const made = new WeakMap<FeatureGroupDefinition, WritableGroup>();

/** The definition made ready; once for each state of a group. */
export async function writableGroup(definition: FeatureGroupDefinition, transformationOf: TransformationOf): Promise<WritableGroup> {
  let group = made.get(definition);
  if (!group) made.set(definition, (group = writable(definition, await computedFeaturesOf(definition, transformationOf))));
  return group;
}

/** The same for who knows the features that are computed. */
export const writable = (definition: FeatureGroupDefinition, computed: ReadonlyMap<string, ComputedFeature> = new Map()): WritableGroup => ({
  definition,
  entities: definition.entities.map(({ name, type }) => ({ name, type, check: readers[type] })),
  features: definition.features.map((spec) => ({ name: spec.name, required: spec.constraints.required === true, unique: spec.constraints.unique === true, check: checkOf(spec), computed: computed.get(spec.name) })),
});

/** Whether the group has every key and feature that is given; if not, the definition at hand may be an old one. */
export function knows({ entities, features }: WritableGroup, rows: { readonly keys: ReadonlyMap<string, unknown>; readonly features: ReadonlyMap<string, unknown> }): boolean {
  const has = (named: readonly { readonly name: string }[], name: string) => named.some((one) => one.name === name);
  return [...rows.keys.keys()].every((name) => has(entities, name)) && [...rows.features.keys()].every((name) => has(features, name));
}
