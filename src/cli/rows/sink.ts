import { createWriteStream, type WriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { drained } from '../drained.js';
import { print } from '../output.js';
import { RowsError } from './batch.js';

/** One column of what is written: its name and its value in each row. */
export interface OutColumn {
  readonly name: string;
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

/** A file by its ending, `.csv`, `.ndjson` or `.jsonl`; standard output (CSV, or NDJSON when asked) without a path. */
export async function openSink(path: string | undefined, json = false): Promise<RowSink> {
  const format = path === undefined ? (json ? 'ndjson' : 'csv') : /\.csv$/i.test(path) ? 'csv' : /\.(ndjson|jsonl)$/i.test(path) ? 'ndjson' : undefined;
  if (format === undefined) throw new RowsError(`${path} ends with none of .csv, .ndjson and .jsonl`);
  const target = path === undefined ? standardOutput : await openFile(path);
  let begun = false;
  return {
    async write(columns, rows) {
      if (!begun && format === 'csv') await target.line(columns.map(({ name }) => csvCell(name)).join(','));
      begun = true;
      const text = format === 'csv' ? csvRow : jsonRow;
      for (let row = 0; row < rows; row += linesAtOnce) {
        const lines = Array.from({ length: Math.min(linesAtOnce, rows - row) }, (_, at) => text(columns, row + at));
        await target.line(lines.join('\n'));
      }
    },
    close: () => target.close(),
    abandon: () => target.abandon(),
  };
}

const linesAtOnce = 1000;

interface Target {
  line(text: string): Promise<void>;
  close(): Promise<void>;
  abandon(): Promise<void>;
}

const standardOutput: Target = { line: print, close: async () => undefined, abandon: async () => undefined };

/** Beside its final place until it is whole, so that nobody takes half a file for all of it. */
async function openFile(path: string): Promise<Target> {
  const unfinished = `${path}.unfinished`;
  const stream: WriteStream = createWriteStream(unfinished);
  await once(stream, 'open').catch((error: NodeJS.ErrnoException) => {
    throw new RowsError(`${path} cannot be written (${error.code})`);
  });
  let failure: Error | undefined;
  stream.on('error', (error) => (failure = error));
  const ended = () => new Promise<void>((resolve, reject) => stream.end(() => (failure ? reject(failure) : resolve())));
  return {
    async line(text) {
      if (!stream.write(`${text}\n`)) await drained(stream);
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

/** Quoted where RFC 4180 asks for it; null is an empty cell, a list is JSON. */
function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const jsonRow = (columns: readonly OutColumn[], row: number): string => JSON.stringify(Object.fromEntries(columns.map((column) => [column.name, column.at(row)])));
