import type { EntityKey } from '../../domain/features/definition.js';
import { formatTimeUs } from '../../domain/features/times.js';
import type { KnownAtMessage } from './known-at.js';
import { readerOf } from './answers.js';
import { columnOf, type Column } from './columns.js';

/** What `ReadOnline` and `ReadAsOf` answer, column by column; 64-bit integers as text. */
export interface OnlineReply {
  readonly features: readonly { readonly name: string; readonly group: string; readonly values: Column; readonly statuses: Uint8Array }[];
  readonly groups: readonly { readonly group: string; readonly eventTimeUs: readonly string[] }[];
  /** Only of `ReadAsOf`. */
  readonly knownAt?: KnownAtMessage;
}

/** One value with what is known about it. */
export interface OnlineValue {
  readonly value: unknown;
  readonly status: (typeof statuses)[number];
}

const statuses = ['UNSPECIFIED', 'PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'OUTSIDE_MAX_AGE', 'DELETED'] as const;

/** The key columns of a request, from entities as tuples in the order of the keys. */
export const keyColumns = (entities: readonly EntityKey[], tuples: readonly (readonly unknown[])[]): Column[] =>
  entities.map(({ name, type }, at) => columnOf(name, type, tuples.map((tuple) => tuple[at]), { first: 1 }));

/** The values of each entity by feature, in the order of the request, with the newest event time of its groups. */
export function vectorsOf({ features, groups }: OnlineReply, entities: number): { eventTime: string | null; values: Record<string, OnlineValue> }[] {
  const timeOf = (at: number) => Math.max(0, ...groups.map(({ eventTimeUs }) => Number(eventTimeUs[at] ?? 0)));
  const columns = features.map(({ name, values, statuses: bytes }) => ({ name, valueAt: readerOf(values), bytes }));
  return Array.from({ length: entities }, (_, at) => ({
    eventTime: timeOf(at) === 0 ? null : formatTimeUs(timeOf(at)),
    values: Object.fromEntries(
      columns.map(({ name, valueAt, bytes }) => {
        const status = statuses[bytes[at] ?? 0] ?? 'UNSPECIFIED';
        const given = status === 'PRESENT' || status === 'OUTSIDE_MAX_AGE';
        return [name, { value: given ? valueAt(at) : null, status }];
      }),
    ),
  }));
}
