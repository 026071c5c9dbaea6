import type { EntityValue } from './values.js';

/** The longest encoded key, in characters: every key still fits a Postgres index. */
export const longestKey = 512;

/**
 * The text that stands for an entity everywhere: the JSON array of its key values, in the group's order.
 * Quotes and commas keep (1,"23") and (12,"3") apart, and escapes keep control characters out of Postgres.
 */
export const encodeKey = (values: readonly EntityValue[]): string => JSON.stringify(values);

/** The key values that a text made by `encodeKey` stands for. */
export const decodeKey = (key: string): EntityValue[] => JSON.parse(key);

/**
 * The partition of an encoded key: FNV-1a over its UTF-16 units, its high bits folded into the low ones.
 * Never to be changed: it says in which stream an entity's history stands.
 */
export function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % partitions;
}
