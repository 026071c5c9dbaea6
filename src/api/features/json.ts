import { z } from 'zod';
import { rowsFromJson } from '../../commands/features/row-wise.js';
import type { WriteRequest } from '../../commands/features/incoming.js';
import { parseInput } from '../../commands/kit/validate.js';
import { writeModes } from '../../domain/features/chunk.js';
import { formatTimeUs } from '../../domain/features/times.js';
import type { FeatureType, FeatureValue } from '../../domain/features/values.js';
import { resourceName } from '../../domain/kit/index.js';
import type { OnlineAnswer, OnlineRequest } from '../../projections/features/online/read.js';
import { featureStatuses, type FeatureStatus } from '../../projections/features/online/status.js';

const values = z.record(z.string(), z.unknown());

/** One row to write. Faults of its time and values are found row by row, so they are left open here. */
export const rowInput = z.strictObject({ entity: values, eventTime: z.unknown().optional(), values: values.default({}) }).meta({ id: 'FeatureRow' });

/** A write as JSON says it. */
export const writeInput = z.strictObject({
  project: resourceName,
  group: resourceName,
  /** The promoted one where it is left out. */
  version: z.int().min(1).optional(),
  mode: z.enum(writeModes).default('BOTH'),
  partial: z.boolean().default(false),
  /** Keeps the bad rows for mending, and stores the good ones. */
  quarantine: z.boolean().default(false),
  rows: z.array(rowInput),
});

/** An online read as JSON says it. */
export const readInput = z.strictObject({
  project: resourceName,
  features: z.array(z.string().max(256)).max(5000).default([]),
  /** In place of features. */
  service: resourceName.optional(),
  entities: z.array(values),
  fullNames: z.boolean().default(false),
});

export function writeRequestOf(raw: unknown): WriteRequest {
  const { rows, ...request } = parseInput(writeInput, raw);
  return { ...request, rows: rowsFromJson(rows) };
}

export function onlineRequestOf(raw: unknown): { request: OnlineRequest; entities: readonly Readonly<Record<string, unknown>>[] } {
  const { entities, ...rest } = parseInput(readInput, raw);
  const keys = new Map<string, unknown[]>();
  entities.forEach((entity, index) => {
    for (const name of Object.keys(entity)) {
      let column = keys.get(name);
      if (column === undefined) keys.set(name, (column = new Array(entities.length).fill(undefined)));
      column[index] = entity[name];
    }
  });
  return { request: { ...rest, entities: entities.length, keys }, entities };
}

/** One entity's values, as JSON says them. */
export interface OnlineRow {
  readonly entity: Readonly<Record<string, unknown>>;
  readonly values: Readonly<Record<string, FeatureValue | null>>;
  readonly statuses: Readonly<Record<string, FeatureStatus>>;
  /** By group, when its values were true; null where the entity is not there. */
  readonly eventTimes: Readonly<Record<string, string | null>>;
}

export function onlineRows({ features, groups }: OnlineAnswer, entities: readonly Readonly<Record<string, unknown>>[]): OnlineRow[] {
  return entities.map((entity, index) => {
    // Names of features and groups begin with a letter, so none is a property that objects have anyway.
    const values: Record<string, FeatureValue | null> = {};
    const statuses: Record<string, FeatureStatus> = {};
    const eventTimes: Record<string, string | null> = {};
    for (const feature of features) {
      values[feature.name] = jsonOf(feature.values[index]!, feature.type);
      statuses[feature.name] = featureStatuses[feature.statuses[index]!] as FeatureStatus;
    }
    for (const { group, timeUs } of groups) eventTimes[group] = timeUs[index] === 0 ? null : formatTimeUs(timeUs[index]!);
    return { entity, values, statuses, eventTimes };
  });
}

/** A stored value as it is shown: times in ISO 8601, everything else as it is stored. */
export const jsonOf = (value: FeatureValue | null, type: FeatureType): FeatureValue | null => (type === 'TIMESTAMP' && typeof value === 'number' ? formatTimeUs(value) : value);
