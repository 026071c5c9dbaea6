import type { TrainingSet } from '../history/training-set.js';

/** A row that is not as it was stored, counted from zero. */
export interface Difference {
  readonly row: number;
  readonly columns: string[];
  /** What stands there, by column; left out where a deletion hides it. */
  readonly saved?: Record<string, unknown>;
  readonly now?: Record<string, unknown>;
}

export interface FoundDifference extends Difference {
  /** Whether a deletion hides the row's values. */
  readonly hidden: boolean;
}

/** The rows as they were stored, read along with those that come now. */
export class StoredRows {
  private table?: TrainingSet;
  private from = 0;

  constructor(private readonly tables: AsyncGenerator<TrainingSet>) {}

  /** The first row of a table that is not as it was stored; `before` is the number of its first row. */
  async compare(table: TrainingSet, before: number): Promise<FoundDifference | undefined> {
    for (let row = 0; row < table.rows; row++) {
      const saved = await this.holding(before + row);
      if (!saved) return { row: before + row, columns: [], hidden: false };
      const columns = differing(saved, before + row - this.from, table, row);
      if (columns.length === 0) continue;
      return { row: before + row, columns, hidden: table.hidden?.(row) === true, saved: cells(saved, before + row - this.from, columns), now: cells(table, row, columns) };
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.tables.return(undefined);
  }

  private async holding(row: number): Promise<TrainingSet | undefined> {
    while (!this.table || row >= this.from + this.table.rows) {
      this.from += this.table?.rows ?? 0;
      const next = await this.tables.next();
      if (next.done) return undefined;
      this.table = next.value;
    }
    return this.table;
  }
}

/** The names of the columns in which two rows differ. */
function differing(saved: TrainingSet, savedRow: number, now: TrainingSet, row: number): string[] {
  const names: string[] = [];
  for (let at = 0; at < Math.max(saved.columns.length, now.columns.length); at++) {
    const [before, after] = [saved.columns[at], now.columns[at]];
    if (before?.name === after?.name && same(before!.at(savedRow), after!.at(row))) continue;
    names.push(after?.name ?? before!.name);
  }
  return names;
}

/** Alike to the hash. */
const same = (a: unknown, b: unknown): boolean => a === b || ((a ?? null) === null ? (b ?? null) === null : JSON.stringify(a) === JSON.stringify(b));

const cells = ({ columns }: TrainingSet, row: number, names: readonly string[]): Record<string, unknown> => Object.fromEntries(columns.filter(({ name }) => names.includes(name)).map(({ name, at }) => [name, at(row)]));
