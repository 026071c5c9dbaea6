import { zstdDecompressSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, type FileMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { RowsError, type RowBatch } from './batch.js';

/** A Parquet file that is open for reading. */
export interface ParquetFile {
  readonly rows: number;
  readonly columns: readonly string[];
  /** Its rows, one row group in memory at a time: times as microseconds since the Unix epoch, 64-bit integers as bigint. */
  batches(batchRows: number): AsyncGenerator<RowBatch>;
}

/** Opens a Parquet file; fails with a sentence when it is not one. */
export async function openParquet(path: string): Promise<ParquetFile> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((error: Error) => {
    throw new RowsError(`${path} is not a Parquet file: ${error.message}`);
  });
  const columns = metadata.schema.slice(1).map(({ name }) => name);
  return { rows: Number(metadata.num_rows), columns, batches: (batchRows) => readBatches(file, metadata, batchRows) };
}

async function* readBatches(file: Awaited<ReturnType<typeof asyncBufferFromFile>>, metadata: FileMetaData, batchRows: number): AsyncGenerator<RowBatch> {
  let before = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    const columns = new Map<string, unknown[]>();
    await parquetRead({
      file,
      metadata,
      rowStart: before,
      rowEnd: before + rows,
      // Node's own zstd is faster than one in JavaScript.
      compressors: { ...compressors, ZSTD: (input) => zstdDecompressSync(input) },
      parsers: { timestampFromMilliseconds: (ms) => Number(ms) * 1000, timestampFromMicroseconds: Number, timestampFromNanoseconds: (ns) => Number(ns / 1000n) },
      onChunk: ({ columnName, columnData, rowStart }) => {
        let column = columns.get(columnName);
        if (column === undefined) columns.set(columnName, (column = new Array(rows)));
        for (let at = 0; at < columnData.length; at++) column[rowStart - before + at] = columnData[at];
      },
    });
    for (let from = 0; from < rows; from += batchRows) {
      const to = Math.min(rows, from + batchRows);
      yield { first: before + from + 1, rows: to - from, columns: new Map([...columns].map(([name, values]) => [name, values.slice(from, to)])) };
    }
    before += rows;
  }
}
