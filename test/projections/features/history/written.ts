import { decodeChunk, encodeChunk, type BlockHead, type Chunk, type RowBlock, type WriteMode } from '../../../../src/domain/features/chunk.js';
import { encodeKey } from '../../../../src/domain/features/keys.js';
import type { EntityValue, FeatureValue } from '../../../../src/domain/features/values.js';

/** One row as a test says it. */
export interface Row {
  readonly key: readonly EntityValue[];
  readonly timeUs: number;
  readonly values: Readonly<Record<string, FeatureValue | null>>;
}

/** One event of a group's history as a test says it: rows written together, or entities deleted. */
export type Fact =
  | { readonly recordedAtUs: number; readonly mode?: WriteMode; readonly rows: readonly Row[] }
  | { readonly recordedAtUs: number; readonly deleted: readonly (readonly EntityValue[])[] };

/** The rows as the data of an event. */
export function chunkOf(rows: readonly Row[], mode: WriteMode = 'BOTH', head: Partial<BlockHead> = {}): Chunk {
  const keys = [...new Set(rows.map((row) => encodeKey(row.key)))];
  const features = [...new Set(rows.flatMap((row) => Object.keys(row.values)))];
  return encodeChunk(
    { project: 'p', group: 'g', version: 1, partition: 0, ...head, mode },
    {
      rows: rows.length,
      keys,
      key: rows.map((row) => keys.indexOf(encodeKey(row.key))),
      timeUs: rows.map((row) => row.timeUs),
      columns: new Map(features.map((feature) => [feature, rows.map((row) => row.values[feature] ?? null)])),
    },
  );
}

/** The rows as columns, after the way through an event that they take in the log. */
export const blockOf = (rows: readonly Row[], mode: WriteMode = 'BOTH'): BlockHead & RowBlock => decodeChunk(JSON.parse(JSON.stringify(chunkOf(rows, mode))));
