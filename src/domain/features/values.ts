/** The types a feature may have. */
export const featureTypes = ['INT64', 'DOUBLE', 'STRING', 'BOOL', 'TIMESTAMP', 'DOUBLE_LIST'] as const;
export type FeatureType = (typeof featureTypes)[number];

/** The types an entity key may have. */
export const entityTypes = ['STRING', 'INT64'] as const;
export type EntityType = (typeof entityTypes)[number];

/**
 * A feature's value as it stands in events, read models and memory; always fit for JSON.
 * INT64: a number where a double holds it exactly, else its decimal digits as a string; one value has one form.
 * DOUBLE: finite. TIMESTAMP: microseconds since the Unix epoch. DOUBLE_LIST: an array of finite numbers.
 */
export type FeatureValue = number | string | boolean | readonly number[];

/** One value of an entity key, in the form of FeatureValue. */
export type EntityValue = string | number;

/** Times lie within what a double holds in whole microseconds: the years 1700 to 2249. */
export const earliestTimeUs = Date.UTC(1700, 0) * 1000;
export const latestTimeUs = Date.UTC(2250, 0) * 1000 - 1;

/** Event times lie so near each other that a double also holds their differences: the years 1900 to 2184. */
export const earliestEventTimeUs = Date.UTC(1900, 0) * 1000;
export const latestEventTimeUs = Date.UTC(2185, 0) * 1000 - 1;
