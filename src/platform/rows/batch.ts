import { Refusal } from '../../domain/kit/index.js';
import type { ColumnType } from './typed.js';

/** Some rows of a file, column by column, each value as the format gives it. */
export interface RowBatch {
  /** The number of the first of them, counting the file's rows from 1. */
  readonly first: number;
  readonly rows: number;
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
  /** The types of the columns where the format says them. */
  readonly types?: ReadonlyMap<string, ColumnType>;
  /** For a file of lines the line on which each row ends, counting from 1. */
  readonly lines?: readonly number[];
  /** For a file of lines the byte after the last of these rows: reading may go on there. */
  readonly endByte?: number;
}

/** Where reading a file goes on: after so many rows, and in a file of lines after so many bytes and lines. */
export interface ReadFrom {
  readonly rows: number;
  readonly byte?: number;
  readonly line?: number;
  /** The names in the first line of a CSV file. */
  readonly names?: readonly string[];
}

/** How the owner of a file finds one of its rows: by its line where it has lines. */
export const placeOf = ({ first, lines }: Pick<RowBatch, 'first' | 'lines'>, row: number): string => (lines ? `Line ${lines[row]}` : `Row ${first + row}`);

/** A sentence whose rows are named by their places in the file, where a request counts them from zero: `rows[3].x` is `line 5, x`. */
export const inPlaces = (sentence: string, place: (row: number) => string): string =>
  sentence.replace(/rows\[(\d+)\](\.?)/g, (_, row, dot) => place(Number(row)).toLowerCase() + (dot && ', '));

/** What is wrong with a file, in a sentence for its owner. */
export class RowsError extends Refusal {
  constructor(message: string) {
    super('INVALID_ARGUMENT', message, { reason: 'MALFORMED_ROWS' });
  }
}

/** Gathers rows of named values into batches; a name that a row leaves out is null in it. */
export class BatchBuilder {
  private columns = new Map<string, unknown[]>();
  private lines: number[] = [];
  private rows = 0;
  private first: number;
  private endByte = 0;

  constructor(private readonly size: number, { rows }: ReadFrom = { rows: 0 }) {
    this.first = rows + 1;
  }

  /** Adds a row; true when the batch is full and should be taken. */
  add(row: Readonly<Record<string, unknown>>, line: number, endByte: number): boolean {
    for (const name in row) {
      let column = this.columns.get(name);
      if (column === undefined) this.columns.set(name, (column = new Array(this.rows).fill(null)));
      column.push(row[name] ?? null);
    }
    return this.added(line, endByte);
  }

  /** Adds a row that has a value for each of the names, in their order. */
  addCells(names: readonly string[], cells: readonly unknown[], line: number, endByte: number): boolean {
    if (this.columns.size === 0) for (const name of names) this.columns.set(name, []);
    let at = 0;
    for (const column of this.columns.values()) column.push(cells[at++] ?? null);
    return this.added(line, endByte);
  }

  /** The rows gathered since the last batch; undefined when there are none. */
  take(): RowBatch | undefined {
    if (this.rows === 0) return undefined;
    const { first, rows, columns, lines, endByte } = this;
    this.first += rows;
    this.rows = 0;
    this.columns = new Map();
    this.lines = [];
    return { first, rows, columns, lines, endByte };
  }

  private added(line: number, endByte: number): boolean {
    this.rows++;
    this.lines.push(line);
    this.endByte = endByte;
    for (const column of this.columns.values()) if (column.length < this.rows) column.push(null);
    return this.rows >= this.size;
  }
}
