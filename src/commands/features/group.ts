import type { EntityType } from '../../domain/features/values.js';
import type { FeatureGroupDefinition } from '../../domain/features/state.js';
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
  readonly check: Check;
}

const made = new WeakMap<FeatureGroupDefinition, WritableGroup>();

/** The definition made ready; once for each state of a group. */
export function writable(definition: FeatureGroupDefinition): WritableGroup {
  let group = made.get(definition);
  if (!group) {
    group = {
      definition,
      entities: definition.entities.map(({ name, type }) => ({ name, type, check: readers[type] })),
      features: definition.features.map((spec) => ({ name: spec.name, required: spec.constraints.required === true, check: checkOf(spec) })),
    };
    made.set(definition, group);
  }
  return group;
}

/** Whether the group has every key and feature that is given; if not, the definition at hand may be an old one. */
export function knows({ entities, features }: WritableGroup, rows: { readonly keys: ReadonlyMap<string, unknown>; readonly features: ReadonlyMap<string, unknown> }): boolean {
  const has = (named: readonly { readonly name: string }[], name: string) => named.some((one) => one.name === name);
  return [...rows.keys.keys()].every((name) => has(entities, name)) && [...rows.features.keys()].every((name) => has(features, name));
}
