import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { RowsError, type ReadFrom, type RowBatch, type RowSource } from './source.js';
import { csvBatches } from '../../platform/rows/csv.js';
import { ndjsonBatches } from '../../platform/rows/ndjson.js';

/** The formats that rows are read in. */
export const rowFormats = ['csv', 'ndjson', 'parquet', 'arrow'] as const;
export type RowFormat = (typeof rowFormats)[number];

const endings: Readonly<Record<string, RowFormat>> = { csv: 'csv', ndjson: 'ndjson', jsonl: 'ndjson', parquet: 'parquet', arrow: 'arrow', arrows: 'arrow', feather: 'arrow', ipc: 'arrow' };
const bytesAtOnce = 1 << 18;

/** Opens a file by its ending, or by the format said; `-` is standard input, CSV unless said otherwise. Reading may begin `from` a place that an earlier batch named. */
export async function openRows(path: string, batchRows: number, said?: RowFormat, from: ReadFrom = { rows: 0 }): Promise<RowSource> {
  const format = said ?? formatOf(path);
  if (format === 'parquet') return openParquetRows(path, batchRows, from);
  const size = path === '-' ? undefined : await sizeOf(path);
  const read = { bytes: from.byte ?? 0 };
  if (format === 'arrow') return { batches: arrowRows(path, batchRows, read, from), read: () => read.bytes, size, unit: 'bytes' };
  const bytes = counted(path === '-' ? process.stdin : createReadStream(path, { highWaterMark: bytesAtOnce, start: from.byte ?? 0 }), read);
  const batches = format === 'csv' ? csvBatches(bytes, batchRows, from) : ndjsonBatches(bytes, batchRows, from);
  return { batches, read: () => read.bytes, size, unit: 'bytes' };
}

async function openParquetRows(path: string, batchRows: number, from: ReadFrom): Promise<RowSource> {
  if (path === '-') throw new RowsError('Parquet is read from its end, so it cannot come through a pipe: name the file');
  await sizeOf(path);
  const { openParquet } = await import('../../platform/rows/parquet.js');
  const file = await openParquet(path);
  const read = { rows: from.rows };
  return { batches: countedRows(file.batches(batchRows, from), read), read: () => read.rows, size: file.rows, unit: 'rows' };
}

/** A stream is read as it comes; a file in Arrow's format begins with its name and is read from its end. */
async function* arrowRows(path: string, batchRows: number, read: { bytes: number }, from: ReadFrom): AsyncGenerator<RowBatch> {
  const { arrowBatches } = await import('../../platform/rows/arrow.js');
  if (path === '-' || !(await beginsWith(path, 'ARROW1'))) {
    yield* arrowBatches(counted(path === '-' ? process.stdin : createReadStream(path, { highWaterMark: bytesAtOnce }), read), batchRows, from);
    return;
  }
  await using file = await open(path);
  yield* arrowBatches(file, batchRows, from);
  read.bytes = await sizeOf(path);
}

async function beginsWith(path: string, magic: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0);
  return buffer.subarray(0, bytesRead).toString('latin1') === magic;
}

function formatOf(path: string): RowFormat {
  if (path === '-') return 'csv';
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  if (Object.hasOwn(endings, ending)) return endings[ending]!;
  throw new RowsError(`${path} ends with none of ${Object.keys(endings).map((one) => `.${one}`).join(', ')}: say --format`);
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
