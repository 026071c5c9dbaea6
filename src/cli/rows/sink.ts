import { createWriteStream, type WriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { parseTimeUs } from '../../domain/features/times.js';
import { typeOfValues, type ColumnType, type TableWriter, type TypedColumn } from '../../platform/rows/typed.js';
import { drained } from '../drained.js';
import { print } from '../output.js';
import { RowsError } from './source.js';

/** One column of what is written: its name, its type where it is known, and its value in each row. */
export interface OutColumn {
  readonly name: string;
  readonly type?: ColumnType;
  at(row: number): unknown;
}

/** Takes tables with the same columns, one after another. */
export interface RowSink {
  write(columns: readonly OutColumn[], rows: number): Promise<void>;
  /** Everything is there: only now the file has its name. */
  close(): Promise<void>;
  /** It will not be finished: what was begun goes. */
  abandon(): Promise<void>;
}

const endings: Readonly<Record<string, 'csv' | 'ndjson' | 'parquet' | 'arrow'>> = { csv: 'csv', ndjson: 'ndjson', jsonl: 'ndjson', parquet: 'parquet', arrow: 'arrow', arrows: 'arrow' };

/** A file by its ending, `.csv`, `.ndjson`, `.jsonl`, `.parquet` or `.arrow` (an Arrow IPC stream); standard output (CSV, or NDJSON when asked) without a path. */
export async function openSink(path: string | undefined, json = false): Promise<RowSink> {
  const format = path === undefined ? (json ? 'ndjson' : 'csv') : outFormatOf(path);
  const target = path === undefined ? standardOutput : await openFile(path);
  switch (format) {
    case 'csv':
    case 'ndjson':
      return textSink(target, format);
    case 'parquet':
      return typedSink(target, new (await import('../../platform/rows/parquet-writer.js')).ParquetTableWriter());
    case 'arrow':
      return typedSink(target, new (await import('../../platform/rows/arrow-writer.js')).ArrowWriter());
  }
}

/** The format that the ending of a file stands for. */
export function outFormatOf(path: string): 'csv' | 'ndjson' | 'parquet' | 'arrow' {
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  if (Object.hasOwn(endings, ending)) return endings[ending]!;
  throw new RowsError(`${path} ends with none of ${Object.keys(endings).map((one) => `.${one}`).join(', ')}`);
}

function textSink(target: Target, format: 'csv' | 'ndjson'): RowSink {
  let begun = false;
  return {
    async write(columns, rows) {
      if (!begun && format === 'csv') await target.write(`${columns.map(({ name }) => csvCell(name)).join(',')}\n`);
      begun = true;
      const text = format === 'csv' ? csvRow : jsonRow;
      for (let row = 0; row < rows; row += linesAtOnce) {
        const lines = Array.from({ length: Math.min(linesAtOnce, rows - row) }, (_, at) => text(columns, row + at));
        await target.write(`${lines.join('\n')}\n`);
      }
    },
    close: () => target.close(),
    abandon: () => target.abandon(),
  };
}

const linesAtOnce = 1000;

/** The types of the first table are those of all. */
function typedSink(target: Target, writer: TableWriter): RowSink {
  let types: readonly ColumnType[] | undefined;
  return {
    async write(columns, rows) {
      types ??= columns.map(({ type, at }) => type ?? typeOfValues(Array.from({ length: rows }, (_, row) => at(row))));
      const table = { rows, columns: columns.map((column, place) => typedColumn(column, types![place]!)) };
      for (const piece of writer.write(table)) await target.write(piece);
    },
    async close() {
      await target.write(writer.finish());
      await target.close();
    },
    abandon: () => target.abandon(),
  };
}

const typedColumn = ({ name, at }: OutColumn, type: ColumnType): TypedColumn => ({
  name,
  type,
  at: type !== 'TIMESTAMP' ? at : (row) => {
    const value = at(row);
    return typeof value === 'string' ? parseTimeUs(value.trim()) : value;
  },
});

interface Target {
  write(piece: string | Uint8Array): Promise<void>;
  close(): Promise<void>;
  abandon(): Promise<void>;
}

const standardOutput: Target = { write: (piece) => print((piece as string).slice(0, -1)), close: async () => undefined, abandon: async () => undefined };

/** Beside its final place until it is whole, so that nobody takes half a file for all of it. */
export async function openFile(path: string): Promise<Target> {
  const unfinished = `${path}.unfinished`;
  const stream: WriteStream = createWriteStream(unfinished);
  await once(stream, 'open').catch((error: NodeJS.ErrnoException) => {
    throw new RowsError(`${path} cannot be written (${error.code})`);
  });
  let failure: Error | undefined;
  stream.on('error', (error) => (failure = error));
  const ended = () => new Promise<void>((resolve, reject) => stream.end(() => (failure ? reject(failure) : resolve())));
  return {
    async write(piece) {
      if (!stream.write(piece)) await drained(stream);
      if (failure) throw failure;
    },
    async close() {
      await ended();
      await rename(unfinished, path);
    },
    async abandon() {
      stream.destroy();
      await rm(unfinished, { force: true });
    },
  };
}

const csvRow = (columns: readonly OutColumn[], row: number): string => columns.map((column) => csvCell(column.at(row))).join(',');

/** Quoted where RFC 4180 asks for it; null is an empty cell, an empty text `""`, a list is JSON. */
function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const jsonRow = (columns: readonly OutColumn[], row: number): string => JSON.stringify(Object.fromEntries(columns.map((column) => [column.name, column.at(row)])));
