import type { EntityKey, FeatureSpec } from '../../domain/features/definition.js';
import { formatTimeUs } from '../../domain/features/times.js';
import { columnOf, type Column } from './columns.js';

/** What `ReadOnline` answers, column by column; 64-bit integers as text. */
export interface OnlineReply {
  readonly features: readonly { readonly name: string; readonly group: string; readonly values: Column; readonly statuses: Uint8Array }[];
  readonly groups: readonly { readonly group: string; readonly eventTimeUs: readonly string[] }[];
}

/** One value with what is known about it. */
export interface OnlineValue {
  readonly value: unknown;
  readonly status: (typeof statuses)[number];
}

const statuses = ['UNSPECIFIED', 'PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'OUTSIDE_MAX_AGE'] as const;

/** The key columns of a request, from entities as tuples in the order of the keys. */
export const keyColumns = (entities: readonly EntityKey[], tuples: readonly (readonly unknown[])[]): Column[] =>
  entities.map(({ name, type }, at) => columnOf(name, type, tuples.map((tuple) => tuple[at]), 1));

/** The values of each entity by feature, in the order of the request. */
export function vectorsOf({ features, groups }: OnlineReply, specs: readonly Pick<FeatureSpec, 'name' | 'type'>[], entities: number): { eventTime: string | null; values: Record<string, OnlineValue> }[] {
  const types = new Map(specs.map(({ name, type }) => [name, type]));
  const times = groups[0]?.eventTimeUs ?? [];
  return Array.from({ length: entities }, (_, at) => ({
    eventTime: Number(times[at] ?? 0) === 0 ? null : formatTimeUs(Number(times[at])),
    values: Object.fromEntries(
      features.map(({ name, values, statuses: bytes }) => {
        const status = statuses[bytes[at] ?? 0] ?? 'UNSPECIFIED';
        const given = status === 'PRESENT' || status === 'OUTSIDE_MAX_AGE';
        return [name, { value: given ? valueOf(values, types.get(name), at) : null, status }];
      }),
    ),
  }));
}

function valueOf(column: Column, type: FeatureSpec['type'] | undefined, at: number): unknown {
  switch (type) {
    case 'INT64': {
      const digits = column.ints![at]!;
      return Number.isSafeInteger(Number(digits)) ? Number(digits) : digits;
    }
    case 'DOUBLE':
      return column.doubles![at];
    case 'STRING':
      return column.strings![column.stringIndex?.length ? column.stringIndex[at]! : at];
    case 'BOOL':
      return column.bools![at];
    case 'TIMESTAMP':
      return formatTimeUs(Number(column.timesUs![at]));
    case 'DOUBLE_LIST':
      return column.lists![at]!.values;
    case undefined:
      return undefined;
  }
}
