import { z } from 'zod';
import { defineEvent, resourceName } from '../kit/index.js';
import type { KeyBytes } from './chunk-bytes/keys.js';
import type { FeatureValue } from './values.js';

/** For whom rows are written: the latest values, the history, or both. */
export const writeModes = ['ONLINE', 'OFFLINE', 'BOTH'] as const;
export type WriteMode = (typeof writeModes)[number];

const value = z.union([z.number(), z.string(), z.boolean(), z.array(z.number())]).nullable();
const index = z.int().nonnegative();

/**
 * The rows of one request that fall into one partition, as columns. Rows keep the order of the request, which breaks
 * ties of event time. A row is whole: a feature that it does not give is null.
 */
export const featureRowsWritten = defineEvent(
  'FeatureRowsWritten',
  z.object({
    project: resourceName,
    group: resourceName,
    version: z.int().positive(),
    partition: index,
    mode: z.enum(writeModes),
    /** The distinct encoded keys. */
    keys: z.array(z.string()).min(1),
    /** For each row the index of its key; left out when every row has its own, in the order of `keys`. */
    key: z.array(index).optional(),
    /** The earliest event time, in microseconds since the Unix epoch. */
    from: z.int(),
    /** For each row the microseconds after `from`; left out when all rows have that time. */
    after: z.array(index).optional(),
    /**
     * The group's features in its order, each with one value a row; repeated strings as the distinct ones and, for each
     * row, the index among them; null for a feature that no row gives.
     */
    columns: z.record(z.string(), z.union([z.array(value), z.object({ of: z.array(z.string()), at: z.array(index.nullable()) }), z.null()])),
  }),
);

/** The data of FeatureRowsWritten. */
export type Chunk = z.output<typeof featureRowsWritten.data>;

/** One feature's values for the rows of a block: plainly, or (repeated strings) as indices into the distinct ones; null for none. */
export type Column = readonly (FeatureValue | null)[] | StringColumn;

/** `at[row]` is the index in `of` of the row's value, or null. */
export interface StringColumn {
  readonly of: readonly string[];
  readonly at: readonly (number | null)[];
}

/** Rows in memory, column by column. Row `i` belongs to entity `keys[key[i]]` at `timeUs[i]`. */
export interface RowBlock {
  readonly rows: number;
  readonly keys: readonly string[];
  readonly key: Uint32Array | readonly number[];
  readonly timeUs: Float64Array | readonly number[];
  /** In the group's order of features; null for a feature that no row gives. */
  readonly columns: ReadonlyMap<string, Column | null>;
}

/** A column as readers meet it: also numbers alone, NaN for none. */
export type ReadableColumn = Column | NumberColumn | { readonly of: readonly string[]; readonly at: Uint32Array };
export type NumberColumn = Float64Array | Int32Array;

/** Columns by feature; null for a feature that no row gives. */
export interface ReadableColumns {
  get(feature: string): ReadableColumn | null | undefined;
}

/** Rows as readers of history meet them: a RowBlock, or rows that are still partly bytes. */
export interface ReadableBlock {
  readonly rows: number;
  readonly keys: readonly string[];
  /** The keys as bytes, where they were read as such: no string is made of one before `keys` is looked at. */
  readonly keyBytes?: KeyBytes;
  readonly key: ArrayLike<number>;
  readonly timeUs: ArrayLike<number>;
  readonly columns: ReadableColumns;
}

/** Where a block of rows belongs. */
export interface BlockHead {
  readonly project: string;
  readonly group: string;
  readonly version: number;
  readonly partition: number;
  readonly mode: WriteMode;
}

export const isStringColumn = (column: Column): column is StringColumn => !Array.isArray(column);

export const isNumberColumn = (column: ReadableColumn): column is NumberColumn => ArrayBuffer.isView(column);

/** The value of one row in a column, null where it has none. */
export function valueAt(column: ReadableColumn | null | undefined, row: number): FeatureValue | null {
  if (column === undefined || column === null) return null;
  if (isNumberColumn(column)) return Number.isNaN(column[row]!) ? null : column[row]!;
  if (Array.isArray(column)) return (column as readonly (FeatureValue | null)[])[row]!;
  const { of, at: places } = column as StringColumn;
  const at = places[row]!;
  return at === null ? null : (of[at] ?? null);
}

/** The event's data for a block of at least one row. */
export function encodeChunk(head: BlockHead, block: RowBlock): Chunk {
  let from = block.timeUs[0]!;
  for (let row = 1; row < block.rows; row++) if (block.timeUs[row]! < from) from = block.timeUs[row]!;
  const chunk: Chunk = { ...head, keys: block.keys as string[], from, columns: {} };
  if (block.keys.length !== block.rows || !isCounting(block.key)) chunk.key = Array.from(block.key);
  if (!block.timeUs.every((time) => time === from)) chunk.after = Array.from(block.timeUs, (time) => time - from);
  for (const [feature, column] of block.columns) chunk.columns[feature] = (column && compact(column)) as never;
  return chunk;
}

/**
 * The rows in an event's data. On the hot path of every replay, so it does not go through zod: it checks that the
 * parts have their shapes and fit each other, and throws where they do not; the values are as the writer checked them.
 */
export function decodeChunk(data: unknown, eventVersion = 1): BlockHead & RowBlock {
  if (eventVersion > featureRowsWritten.version) throw new Error(`Feature rows of version ${eventVersion} were written by a newer release; this one knows version ${featureRowsWritten.version}`);
  const chunk = data as Chunk;
  const rows = chunk?.key?.length ?? chunk?.keys?.length;
  if (!(rows > 0) || !Number.isSafeInteger(chunk.from) || (chunk.after !== undefined && chunk.after.length !== rows)) throw malformed(chunk);
  const columns = new Map<string, Column | null>();
  for (const feature in chunk.columns) {
    const column: Column | null = chunk.columns[feature]!;
    if (column !== null && (isStringColumn(column) ? column.at?.length : column.length) !== rows) throw malformed(chunk);
    columns.set(feature, column);
  }
  const { project, group, version, partition, mode, keys } = chunk;
  return { project, group, version, partition, mode, rows, keys, key: keyIndices(chunk, rows), timeUs: times(chunk, rows), columns };
}

function keyIndices({ keys, key, ...chunk }: Chunk, rows: number): Uint32Array {
  const indices = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = key === undefined ? row : key[row]!;
    if (!(at < keys.length)) throw malformed(chunk);
    indices[row] = at;
  }
  return indices;
}

function times({ from, after }: Chunk, rows: number): Float64Array {
  const timeUs = new Float64Array(rows).fill(from);
  if (after !== undefined) for (let row = 0; row < rows; row++) timeUs[row]! += after[row]!;
  return timeUs;
}

/** Writes strings that repeat as indices: shorter, and faster to parse. */
function compact(column: Column): Column {
  if (isStringColumn(column) || column.length < 8) return column;
  const places = new Map<string, number>();
  const at: (number | null)[] = [];
  for (const one of column) {
    if (one === null) {
      at.push(null);
      continue;
    }
    if (typeof one !== 'string') return column;
    let place = places.get(one);
    if (place === undefined) {
      place = places.size;
      if (place * 2 > column.length) return column;
      places.set(one, place);
    }
    at.push(place);
  }
  return places.size === 0 ? column : { of: [...places.keys()], at };
}

const isCounting = (indices: Uint32Array | readonly number[]): boolean => indices.every((at, row) => at === row);

const malformed = (chunk: Partial<Chunk>) => new TypeError(`The rows of ${chunk?.project}.${chunk?.group} in the log do not fit each other`);
