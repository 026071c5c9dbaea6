import { z } from 'zod';
import { defineEvent, Refusal, resourceName, type EventOf } from '../kit/index.js';
import type { EntityKey } from './definition.js';
import { entityValueOf } from './entity-value.js';
import { encodeKey, longestKey } from './keys.js';

/**
 * Hides all rows of an entity that stand before it in its partition's stream, in every version of the group up to
 * `version`. Rows written after it count again.
 */
export const featureEntityDeleted = defineEvent(
  'FeatureEntityDeleted',
  z.object({ project: resourceName, group: resourceName, version: z.int().positive(), partition: z.int().nonnegative(), key: z.string().min(1) }),
);
export type FeatureEntityDeleted = EventOf<typeof featureEntityDeleted>;

/** An entity as a caller names it: its key values by name. */
export type GivenEntity = Readonly<Record<string, unknown>>;

/** The encoded key of an entity; refuses one that lacks a key value or has one of another type. `field` is where the entity stands in the request. */
export function keyOfEntity(entities: readonly EntityKey[], given: GivenEntity, field: string): string {
  const values = entities.map(({ name, type }) => entityValueOf(given[name], type) ?? refuse(`${field}.${name}`, `is not ${type}`));
  const key = encodeKey(values);
  return key.length <= longestKey ? key : refuse(field, `is longer than ${longestKey} characters`);
}

/** The same, and refuses names that are no keys of the group: a misspelt one must not delete another entity. */
export function keyOfExactEntity(entities: readonly EntityKey[], given: GivenEntity, field: string): string {
  const unknown = Object.keys(given).find((name) => !entities.some((key) => key.name === name));
  return unknown === undefined ? keyOfEntity(entities, given, field) : refuse(`${field}.${unknown}`, 'is not a key of the group');
}

function refuse(field: string, description: string): never {
  throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
}
