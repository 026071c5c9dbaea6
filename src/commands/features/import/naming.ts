import type { EntityKey, FeatureSpec } from '../../../domain/features/definition.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { RowBatch } from '../../../platform/rows/batch.js';
import { withTimes, type FileTimes, type TimeUnit, type TimeUnits } from '../file-times.js';
import { fileValues } from '../file-values.js';
import type { IncomingRows } from '../incoming.js';

/** What the columns of a file must fit. */
export interface Target {
  readonly group: string;
  readonly entities: readonly EntityKey[];
  readonly features: readonly FeatureSpec[];
}

/** Which column of a file holds what: a key or feature stands under its own name unless it is mapped. */
export interface ColumnNaming {
  readonly eventTime: string;
  /** For a column of the file the key or feature that it holds. */
  readonly map: Readonly<Record<string, string>>;
  /** What the numbers in columns of times count. */
  readonly timeUnits?: TimeUnits;
}

/** The columns of a file, each with what it holds. */
export interface NamedColumns {
  readonly keys: readonly (EntityKey & { readonly column: string })[];
  /** Those that the file has. */
  readonly features: readonly (Pick<FeatureSpec, 'name' | 'type'> & { readonly column: string })[];
  readonly eventTime: string;
  readonly times: FileTimes;
  /** Columns that are no key or feature. */
  readonly ignored: readonly string[];
}

/** Finds the columns in a batch; refuses a file without its keys and times, and a mapping to what the group does not have. */
export function namedColumns({ columns }: RowBatch, { group, entities, features }: Target, { eventTime, map, timeUnits = {} }: ColumnNaming): NamedColumns {
  const known = [...entities, ...features].map(({ name }) => name);
  const strange = Object.entries(map).find(([, name]) => !known.includes(name));
  if (strange) refuse(`map.${strange[0]}`, `names ${strange[1]}, which is no key or feature of ${group}; those are ${known.join(', ')}`);
  const columnOf = new Map(Object.entries(map).map(([column, name]) => [name, column]));
  const mapped = <Named extends { readonly name: string }>(named: readonly Named[]) => named.map((one) => ({ ...one, column: columnOf.get(one.name) ?? one.name }));
  const keys = mapped(entities);
  const lacking = [...keys.map(({ column }) => column), eventTime, ...Object.keys(map), ...Object.keys(timeUnits).filter((column) => column !== '')].filter((column) => !columns.has(column));
  if (lacking.length > 0) refuse('columns', `lack ${[...new Set(lacking)].join(', ')}; the file has ${[...columns.keys()].join(', ')}. Name them by map and eventTime`);
  const found = mapped(features).filter(({ column }) => columns.has(column));
  const used = new Set([eventTime, ...keys.map(({ column }) => column), ...found.map(({ column }) => column)]);
  const times = { eventTime, columns: found.filter(({ type }) => type === 'TIMESTAMP').map(({ column }) => column), units: timeUnits, say: (unit: TimeUnit) => `timeUnit=${unit}` };
  return { keys, features: found, eventTime, times, ignored: [...columns.keys()].filter((column) => !used.has(column)) };
}

/** The rows of a batch as a request to write takes them. What does not fit its type stays as it is, so that its row is refused by name. */
export function incomingOf(batch: RowBatch, { keys, features, eventTime, times: fileTimes }: NamedColumns): IncomingRows {
  const { columns, rows } = withTimes(batch, fileTimes);
  const read = ({ column, type }: { column: string; type: keyof typeof fileValues }) => {
    const values = columns.get(column) ?? new Array<unknown>(rows).fill(null);
    return values.map((value) => (value === null || value === undefined ? null : (fileValues[type](value) ?? asJson(value))));
  };
  const times = columns.get(eventTime) ?? [];
  return {
    rows,
    times,
    keys: new Map(keys.map((key) => [key.name, read(key)])),
    timeUs: Float64Array.from({ length: rows }, (_, row) => (fileValues.TIMESTAMP(times[row]) as number | undefined) ?? NaN),
    features: new Map(features.map((feature) => [feature.name, read(feature)])),
  };
}

/** What fits nothing is shown as it stands, and JSON knows no bigint. */
const asJson = (value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

function refuse(field: string, description: string): never {
  throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
}
