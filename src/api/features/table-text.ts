import type { TrainingSet } from '../../projections/features/history/training-set.js';
import { cellOf } from './history-json.js';

/** How many rows are written at once: enough that the pieces are cheap, few enough that others have their turn between. */
const rowsOfPiece = 2000;

/** A way of writing tables. */
export interface TableFormat {
  readonly mediaType: string;
  /** The tables have the same columns; the first may be missing when there is none. `timeColumn` holds the times of the request's rows. */
  write(tables: AsyncIterable<TrainingSet>, timeColumn?: string): AsyncGenerator<string | Uint8Array>;
}

/** One JSON object a row and line. */
export const ndjson: TableFormat = {
  mediaType: 'application/x-ndjson',
  async *write(tables) {
    for await (const piece of pieces(tables, jsonLine)) yield piece;
  },
};

/** RFC 4180, with a line of names. Null is an empty cell, and an empty string is `""`. */
export const csv: TableFormat = {
  mediaType: 'text/csv',
  async *write(tables) {
    let headed = false;
    for await (const table of tables) {
      if (!headed) yield `${table.columns.map(({ name }) => csvCell(name)).join(',')}\r\n`;
      headed = true;
      yield* piecesOf(table, csvLine);
    }
  },
};

/** One document `{"rows": […]}`. */
export const json: TableFormat = {
  mediaType: 'application/json',
  async *write(tables) {
    yield '{"rows":[';
    let first = true;
    for await (const piece of pieces(tables, (table, row) => `,\n${jsonLine(table, row).trimEnd()}`)) {
      yield first ? piece.slice(1) : piece;
      first = false;
    }
    yield '\n]}\n';
  },
};

type WriteLine = (table: TrainingSet, row: number) => string;

async function* pieces(tables: AsyncIterable<TrainingSet>, line: WriteLine): AsyncGenerator<string> {
  for await (const table of tables) yield* piecesOf(table, line);
}

function* piecesOf(table: TrainingSet, line: WriteLine): Generator<string> {
  for (let from = 0; from < table.rows; from += rowsOfPiece) {
    let text = '';
    for (let row = from; row < Math.min(table.rows, from + rowsOfPiece); row++) text += line(table, row);
    yield text;
  }
}

function jsonLine({ columns }: TrainingSet, row: number): string {
  let text = '';
  for (const column of columns) text += `${text === '' ? '{' : ','}${JSON.stringify(column.name)}:${JSON.stringify(cellOf(column, row))}`;
  return `${text === '' ? '{' : text}}\n`;
}

function csvLine({ columns }: TrainingSet, row: number): string {
  return `${columns.map((column) => csvCell(cellOf(column, row))).join(',')}\r\n`;
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
