import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { RowsError, type RowBatch, type RowSource } from './batch.js';
import { csvBatches } from './csv.js';
import { ndjsonBatches } from './ndjson.js';

/** The formats that rows are read in. */
export const rowFormats = ['csv', 'ndjson', 'parquet'] as const;
export type RowFormat = (typeof rowFormats)[number];

/** Opens a file by its ending, or by the format said; `-` is standard input, CSV unless said otherwise. */
export async function openRows(path: string, batchRows: number, said?: RowFormat): Promise<RowSource> {
  const format = said ?? formatOf(path);
  if (format === 'parquet') return openParquetRows(path, batchRows);
  const read = { bytes: 0 };
  const size = path === '-' ? undefined : await sizeOf(path);
  const bytes = counted(path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 }), read);
  const batches = format === 'csv' ? csvBatches(bytes, batchRows) : ndjsonBatches(bytes, batchRows);
  return { batches, read: () => read.bytes, size, unit: 'bytes' };
}

async function openParquetRows(path: string, batchRows: number): Promise<RowSource> {
  if (path === '-') throw new RowsError('Parquet is read from its end, so it cannot come through a pipe: name the file');
  await sizeOf(path);
  const { openParquet } = await import('./parquet.js');
  const file = await openParquet(path);
  const read = { rows: 0 };
  return { batches: countedRows(file.batches(batchRows), read), read: () => read.rows, size: file.rows, unit: 'rows' };
}

function formatOf(path: string): RowFormat {
  if (path === '-') return 'csv';
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase();
  if (ending === 'jsonl') return 'ndjson';
  const format = rowFormats.find((one) => one === ending);
  if (format) return format;
  throw new RowsError(`${path} ends with none of .csv, .ndjson, .jsonl and .parquet: say --format`);
}

async function sizeOf(path: string): Promise<number> {
  try {
    const file = await stat(path);
    if (file.isDirectory()) throw new RowsError(`${path} is a folder`);
    return file.size;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new RowsError(`There is no file ${path}`);
    if (code === 'EACCES') throw new RowsError(`${path} may not be read`);
    throw error;
  }
}

async function* counted(stream: AsyncIterable<Buffer>, read: { bytes: number }): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    read.bytes += chunk.length;
    yield chunk;
  }
}

async function* countedRows(batches: AsyncIterable<RowBatch>, read: { rows: number }): AsyncGenerator<RowBatch> {
  for await (const batch of batches) {
    read.rows += batch.rows;
    yield batch;
  }
}
