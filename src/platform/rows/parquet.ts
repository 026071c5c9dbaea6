import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { RowsError, type ReadFrom, type RowBatch } from './batch.js';
import { parsers, plainSchema, readerOf, typeOf } from './parquet-values.js';
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
  const columns = columnsOf(metadata).map(([column]) => column!.name);
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
  const readers = readersOf(metadata);
  const reading = parquetRead({
    file,
    metadata: { ...metadata, schema: plainSchema(metadata.schema) },
    rowStart: before,
    rowEnd: before + rows,
    // Node's own zstd is faster than one in JavaScript.
    compressors: { ...compressors, ZSTD: (input) => zstdDecompressSync(input) },
    parsers,
    utf8: false,
    onChunk: ({ columnName, columnData, rowStart }) => {
      let column = columns.get(columnName);
      if (column === undefined) columns.set(columnName, (column = new Array(rows)));
      const read = readers.get(columnName) ?? asItIs;
      for (let at = 0; at < columnData.length; at++) column[rowStart - before + at] = read(columnData[at]) ?? null;
    },
  });
  await reading.catch((error: Error) => {
    throw new RowsError(`${name} breaks off or is damaged within the rows ${before + 1} to ${before + rows}: ${error.message}`);
  });
  return columns;
}

const asItIs = (value: unknown): unknown => value;

/** How the values of columns are read that do not come as they are, in lists or not. */
function readersOf(metadata: FileMetaData): Map<string, (value: unknown) => unknown> {
  return new Map(columnsOf(metadata).flatMap(([column, ...parts]) => {
    // Several parts within one make a struct, which is nothing of ours.
    const read = [column!, ...parts].every((part) => (part.num_children ?? 0) <= 1) ? readerOf(parts.at(-1) ?? column!) : undefined;
    return read ? [[column!.name, read] as const] : [];
  }));
}

function typesOf(metadata: FileMetaData): Map<string, ColumnType> {
  return new Map(columnsOf(metadata).flatMap(([column, ...parts]) => {
    const type = parts.length === 0 ? typeOf(column!) : undefined;
    return type ? [[column!.name, type] as const] : [];
  }));
}

/** The elements of the schema column by column: each, and the parts of those that are made of several. */
function columnsOf({ schema: [root, ...schema] }: FileMetaData): FileMetaData['schema'][] {
  let at = 0;
  const skip = (): void => {
    for (let left = schema[at++]!.num_children ?? 0; left > 0 && at < schema.length; left--) skip();
  };
  const columns: FileMetaData['schema'][] = [];
  while (columns.length < (root?.num_children ?? 0) && at < schema.length) {
    const from = at;
    skip();
    columns.push(schema.slice(from, at));
  }
  return columns;
}
