import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { RowsError, type ReadFrom, type RowBatch } from './batch.js';
import type { ColumnType } from './typed.js';

/** A Parquet file that is open for reading. */
export interface ParquetFile {
  readonly rows: number;
  readonly columns: readonly string[];
  /** Its rows, one row group in memory at a time: times as microseconds since the Unix epoch, 64-bit integers as bigint. */
  batches(batchRows: number, from?: ReadFrom): AsyncGenerator<RowBatch>;
}

/** Opens a Parquet file; fails with a sentence when it is not one. `name` is what the file is called in it. */
export async function openParquet(path: string, name = path): Promise<ParquetFile> {
  return parquetOf(await asyncBufferFromFile(path), name);
}

/** A Parquet file in memory. */
export const parquetIn = (bytes: Buffer, name: string): Promise<ParquetFile> => {
  const { buffer, byteOffset } = bytes;
  return parquetOf({ byteLength: bytes.length, slice: (start, end = bytes.length) => buffer.slice(byteOffset + start, byteOffset + end) as ArrayBuffer }, name);
};

async function parquetOf(file: AsyncBuffer, name: string): Promise<ParquetFile> {
  const metadata = await parquetMetadataAsync(file).catch((error: Error) => {
    throw new RowsError(`${name} is not a Parquet file: ${error.message}`);
  });
  const [root, ...rest] = metadata.schema;
  const columns = topLevel(rest, root?.num_children ?? 0);
  return { rows: Number(metadata.num_rows), columns, batches: (batchRows, from = { rows: 0 }) => readBatches(file, metadata, name, batchRows, from.rows) };
}

async function* readBatches(file: AsyncBuffer, metadata: FileMetaData, name: string, batchRows: number, after: number): AsyncGenerator<RowBatch> {
  const types = typesOf(metadata);
  let before = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    if (before + rows > after) {
      const columns = await readGroup(file, metadata, { before, rows, name });
      for (let from = Math.max(0, after - before); from < rows; from += batchRows) {
        const to = Math.min(rows, from + batchRows);
        yield { first: before + from + 1, rows: to - from, types, columns: new Map([...columns].map(([column, values]) => [column, values.slice(from, to)])) };
      }
    }
    before += rows;
  }
}

async function readGroup(file: AsyncBuffer, metadata: FileMetaData, { before, rows, name }: { before: number; rows: number; name: string }): Promise<Map<string, unknown[]>> {
  const columns = new Map<string, unknown[]>();
  const reading = parquetRead({
    file,
    metadata,
    rowStart: before,
    rowEnd: before + rows,
    // Node's own zstd is faster than one in JavaScript.
    compressors: { ...compressors, ZSTD: (input) => zstdDecompressSync(input) },
    parsers: {
      timestampFromMilliseconds: (ms) => Number(ms) * 1000,
      timestampFromMicroseconds: Number,
      timestampFromNanoseconds: (ns) => Number(ns / 1000n),
      dateFromDays: (days) => days * 86_400_000_000,
    },
    onChunk: ({ columnName, columnData, rowStart }) => {
      let column = columns.get(columnName);
      if (column === undefined) columns.set(columnName, (column = new Array(rows)));
      for (let at = 0; at < columnData.length; at++) column[rowStart - before + at] = columnData[at] ?? null;
    },
  });
  await reading.catch((error: Error) => {
    throw new RowsError(`${name} breaks off or is damaged within the rows ${before + 1} to ${before + rows}: ${error.message}`);
  });
  return columns;
}

function typesOf({ schema }: FileMetaData): Map<string, ColumnType> {
  const types = new Map<string, ColumnType>();
  for (const element of schema) {
    const type = typeOf(element);
    if (type) types.set(element.name, type);
  }
  return types;
}

function typeOf({ type, converted_type: converted, logical_type: logical }: FileMetaData['schema'][number]): ColumnType | undefined {
  if (type === 'INT96' || logical?.type === 'TIMESTAMP' || logical?.type === 'DATE' || converted === 'DATE' || converted?.startsWith('TIMESTAMP')) return 'TIMESTAMP';
  if (converted === 'DECIMAL') return 'DOUBLE';
  switch (type) {
    case 'INT32':
    case 'INT64':
      return 'INT64';
    case 'FLOAT':
    case 'DOUBLE':
      return 'DOUBLE';
    case 'BOOLEAN':
      return 'BOOL';
    default:
      return converted === 'UTF8' || logical?.type === 'STRING' ? 'STRING' : undefined;
  }
}

/** The names of the columns, without the parts of those that are made of several. */
function topLevel(schema: FileMetaData['schema'], count: number): string[] {
  const names: string[] = [];
  let at = 0;
  const skip = (): void => {
    for (let left = schema[at++]!.num_children ?? 0; left > 0; left--) skip();
  };
  while (names.length < count && at < schema.length) {
    names.push(schema[at]!.name);
    skip();
  }
  return names;
}
