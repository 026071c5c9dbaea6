import { CommandFailure, exitCodes } from '../exit-codes.js';

/** Some rows of a file, column by column, each value as the format gives it. */
export interface RowBatch {
  /** The number of the first of them, counting the file's rows from 1. */
  readonly first: number;
  readonly rows: number;
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
}

/** The rows of a file or of standard input, and how far they have been read. */
export interface RowSource {
  readonly batches: AsyncIterable<RowBatch>;
  /** What has been read so far, in the unit that `size` has. */
  readonly read: () => number;
  /** Undefined where the end is not known, as for a pipe. */
  readonly size?: number;
  readonly unit: 'bytes' | 'rows';
}

/** What is wrong with a file, in a sentence for its owner. */
export class RowsError extends CommandFailure {
  constructor(message: string) {
    super(message, exitCodes.usage);
  }
}

/** Gathers rows of named values into batches; a name that a row leaves out is null in it. */
export class BatchBuilder {
  private columns = new Map<string, unknown[]>();
  private rows = 0;
  private first = 1;

  constructor(private readonly size: number) {}

  /** Adds a row; true when the batch is full and should be taken. */
  add(row: Readonly<Record<string, unknown>>): boolean {
    for (const name in row) {
      let column = this.columns.get(name);
      if (column === undefined) this.columns.set(name, (column = new Array(this.rows).fill(null)));
      column.push(row[name] ?? null);
    }
    this.rows++;
    for (const column of this.columns.values()) if (column.length < this.rows) column.push(null);
    return this.rows >= this.size;
  }

  /** The rows gathered since the last batch; undefined when there are none. */
  take(): RowBatch | undefined {
    if (this.rows === 0) return undefined;
    const batch = { first: this.first, rows: this.rows, columns: this.columns };
    this.first += this.rows;
    this.rows = 0;
    this.columns = new Map();
    return batch;
  }
}
