import { isStringColumn, valueAt, type Column, type RowBlock } from '../../domain/features/chunk.js';
import { partitionOf } from '../../domain/features/keys.js';
import type { FeatureValue } from '../../domain/features/values.js';
import type { RowFault } from './incoming.js';

/** Rows of one partition that fit one event, and a bound on the event's size in bytes. */
export interface Piece {
  readonly partition: number;
  readonly block: RowBlock;
  readonly bytes: number;
}

/** Events stay under 256 KiB, metadata included. */
const mostBytes = 240 * 1024;
/** What a chunk holds besides rows. */
const headBytes = 1024;
/** A number in JSON with its comma, at its longest. */
const numberBytes = 25;

/** Spreads rows over the partitions of a group, and those of each partition over as many events as they need. Rows keep their order. */
export function split(block: RowBlock, rows: readonly number[] | undefined, partitions: number): Piece[] {
  const bytes = rowBytes(block);
  const pieces: Piece[] = [];
  for (const [partition, own] of rowsByPartition(block, rows, partitions).entries()) {
    let from = 0;
    let size = headBytes;
    for (let i = 0; i < own.length; i++) {
      const next = bytes(own[i]!);
      if (size + next > mostBytes && i > from) {
        pieces.push({ partition, block: pick(block, own.slice(from, i)), bytes: size });
        from = i;
        size = headBytes;
      }
      size += next;
    }
    if (own.length > from) pieces.push({ partition, block: pick(block, from === 0 ? own : own.slice(from)), bytes: size });
  }
  return pieces;
}

/** The rows that are too large for an event by themselves. */
export function oversized(block: RowBlock): RowFault[] {
  if (![...block.columns.values()].some((column) => column !== null && variable(column))) return [];
  const bytes = rowBytes(block);
  const faults: RowFault[] = [];
  for (let row = 0; row < block.rows; row++) {
    if (bytes(row) <= mostBytes - headBytes) continue;
    const text = JSON.stringify([...block.columns.values()].map((column) => valueAt(column, row)));
    if (Buffer.byteLength(text) > mostBytes - headBytes - 4 * block.keys[block.key[row]!]!.length) faults.push({ row, field: 'values', description: 'are together larger than 230 KiB' });
  }
  return faults;
}

function rowsByPartition({ keys, key, rows }: RowBlock, only: readonly number[] | undefined, partitions: number): number[][] {
  const partition = keys.map((text) => partitionOf(text, partitions));
  const own = Array.from({ length: partitions }, (): number[] => []);
  if (only) for (const row of only) own[partition[key[row]!]!]!.push(row);
  else for (let row = 0; row < rows; row++) own[partition[key[row]!]!]!.push(row);
  return own;
}

/** Some of the rows as a block of their own, with the keys that they use. */
function pick(block: RowBlock, rows: readonly number[]): RowBlock {
  const places = new Int32Array(block.keys.length).fill(-1);
  const keys: string[] = [];
  const key = new Uint32Array(rows.length);
  const timeUs = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const at = block.key[row]!;
    if (places[at]! < 0) places[at] = keys.push(block.keys[at]!) - 1;
    key[i] = places[at]!;
    timeUs[i] = block.timeUs[row]!;
  }
  const columns = new Map<string, Column | null>();
  for (const [name, column] of block.columns) columns.set(name, column && pickColumn(column, rows));
  return { rows: rows.length, keys, key, timeUs, columns };
}

/** Repeated strings are spelt out again here: the chunk finds which of them this piece still has. */
function pickColumn(column: Column, rows: readonly number[]): Column {
  if (isStringColumn(column)) return rows.map((row) => (column.at[row] === null ? null : column.of[column.at[row]!]!));
  const picked = new Array<FeatureValue | null>(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]!]!;
  return picked;
}

/** A bound on what each row adds to an event, its key counted as if it were its only one. */
function rowBytes(block: RowBlock): (row: number) => number {
  const columns = [...block.columns.values()].filter((column) => column !== null);
  const fixed = (columns.length + 2) * numberBytes;
  const varying = columns.filter(variable);
  return (row) => {
    let bytes = fixed + 3 * block.keys[block.key[row]!]!.length;
    for (const column of varying) {
      const value = valueAt(column, row);
      // A control character becomes six bytes; a list holds numbers.
      if (typeof value === 'string') bytes += 6 * value.length;
      else if (Array.isArray(value)) bytes += numberBytes * value.length;
    }
    return bytes;
  };
}

/** Whether a column's values may be longer than a number. */
const variable = (column: Column): boolean => isStringColumn(column) || column.some((value) => typeof value === 'string' || Array.isArray(value));
