import type { EntityKey } from '../../domain/features/definition.js';
import { int64Of } from '../../domain/features/int64.js';
import { typeOfValues, type ColumnType } from '../../platform/rows/typed.js';
import { placeOf, RowsError, type RowBatch } from '../rows/source.js';
import type { OutColumn } from '../rows/sink.js';
import { columnOf } from './columns.js';
import type { MomentColumns } from './historical-call.js';

/**
 * The rows of a file on their way to a training set: keys and times go to the platform, and every column of the file
 * stays here, to stand again beside the features. The answer keeps the order of the rows.
 */
export class Moments {
  private readonly kept = new Map<string, unknown[]>();
  private readonly types = new Map<string, ColumnType>();
  rows = 0;

  constructor(private readonly keys: readonly EntityKey[], private readonly timeColumn: string) {}

  async *sent(batches: AsyncIterable<RowBatch>): AsyncGenerator<MomentColumns> {
    for await (const batch of batches) {
      const lacking = [...this.keys.map(({ name }) => name), this.timeColumn].filter((name) => this.rows === 0 && !batch.columns.has(name));
      if (lacking.length > 0) throw new RowsError(`The file has no column ${lacking.join(', ')}; it has ${[...batch.columns.keys()].join(', ')}. Say --event-time or --alias.`);
      yield this.take(batch);
    }
    // Rows that name their columns are no question for a range, though there be none.
    if (this.rows === 0) yield { columns: this.keys.map(({ name }) => ({ name })), rowTimeUs: [] };
  }

  /** The file's own columns for some rows of the answer, which begin at row `from` of the file. */
  columnsFrom(from: number): OutColumn[] {
    return [...this.kept].map(([name, values]) => ({ name, type: this.typeOf(name, values), at: (row) => inOneForm(values[from + row]) }));
  }

  /** Keys and times have the types that they must have, other columns those of all their values. */
  private typeOf(name: string, values: readonly unknown[]): ColumnType {
    let type = this.types.get(name);
    if (type === undefined) this.types.set(name, (type = name === this.timeColumn ? 'TIMESTAMP' : (this.keys.find((key) => key.name === name)?.type ?? typeOfColumn(values))));
    return type;
  }

  private take(batch: RowBatch): MomentColumns {
    const { columns, rows } = batch;
    for (const [name, values] of columns) {
      const kept = this.kept.get(name) ?? new Array(this.rows).fill(null);
      for (const value of values) kept.push(typeof value === 'bigint' ? shortest(value) : value);
      this.kept.set(name, kept);
    }
    this.rows += rows;
    const valuesOf = (name: string) => columns.get(name) ?? new Array(rows).fill(null);
    const times = columnOf(this.timeColumn, 'TIMESTAMP', valuesOf(this.timeColumn), batch);
    if (times.nulls) throw new RowsError(`${placeOf(batch, times.nulls[0]!)} has no time in column ${this.timeColumn}`);
    return { columns: this.keys.map(({ name, type }) => columnOf(name, type, valuesOf(name), batch)), rowTimeUs: times.timesUs! };
  }
}

/** A number where it is one exactly, which takes less room. */
function shortest(value: bigint): number | bigint {
  const form = int64Of(value);
  return typeof form === 'number' ? form : value;
}

/** What 64 bits have no room for, such as an unsigned number, is a text. */
const inOneForm = (value: unknown): unknown => (typeof value === 'bigint' ? (int64Of(value) ?? String(value)) : (value ?? null));

/** A column of doubles has no room for all digits of a whole number beyond 2^53, so one that holds both is of texts. */
function typeOfColumn(values: readonly unknown[]): ColumnType {
  const type = typeOfValues(values);
  const isTooLarge = (value: unknown) => typeof value === 'bigint' && (type === 'DOUBLE' || int64Of(value) === undefined);
  return values.some(isTooLarge) ? 'STRING' : type;
}
