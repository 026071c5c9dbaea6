import type { EntityKey } from '../../domain/features/definition.js';
import type { EntityType, FeatureType } from '../../domain/features/values.js';
import { columnOf } from '../features/columns.js';
import type { MomentColumns } from '../features/historical-call.js';
import { placeOf, RowsError, type RowBatch } from '../rows/source.js';

/** The rows of a file with all their columns, labels included: keys in their types, the others as the first rows show them. */
export class EntityColumns {
  /** By column, in the order of the file. */
  private readonly types = new Map<string, FeatureType | EntityType>();

  constructor(
    private readonly keys: readonly EntityKey[],
    private readonly timeColumn: string,
  ) {}

  async *of(batches: AsyncIterable<RowBatch>): AsyncGenerator<MomentColumns> {
    for await (const batch of batches) yield this.take(batch);
    // Rows that name their columns are no question for a range, though there be none.
    if (this.types.size === 0) yield { columns: this.keys.map(({ name }) => ({ name })), rowTimeUs: [] };
  }

  private take(batch: RowBatch): MomentColumns {
    const { columns, rows, first } = batch;
    if (first === 1) this.meet(columns);
    const valuesOf = (name: string) => columns.get(name) ?? new Array(rows).fill(null);
    const times = columnOf(this.timeColumn, 'TIMESTAMP', valuesOf(this.timeColumn), batch);
    if (times.nulls) throw new RowsError(`${placeOf(batch, times.nulls[0]!)} has no time in column ${this.timeColumn}`);
    return { columns: [...this.types].map(([name, type]) => columnOf(name, type, valuesOf(name).map(plain), batch)), rowTimeUs: times.timesUs! };
  }

  private meet(columns: RowBatch['columns']): void {
    const lacking = [...this.keys.map(({ name }) => name), this.timeColumn].filter((name) => !columns.has(name));
    if (lacking.length > 0) throw new RowsError(`The file has no column ${lacking.join(', ')}; it has ${[...columns.keys()].join(', ')}. Say --event-time or --alias.`);
    for (const [name, values] of columns) if (name !== this.timeColumn) this.types.set(name, this.keys.find((key) => key.name === name)?.type ?? typeOf(values));
  }
}

/** The type that all values have; texts for anything else. */
function typeOf(values: readonly unknown[]): FeatureType {
  const found = new Set(values.filter((value) => value !== null && value !== undefined).map((value) => typeof value));
  const [only] = found;
  return found.size !== 1 ? 'STRING' : only === 'number' ? 'DOUBLE' : only === 'boolean' ? 'BOOL' : only === 'bigint' ? 'INT64' : 'STRING';
}

const plain = (value: unknown): unknown => (typeof value === 'object' && value !== null ? JSON.stringify(value) : value);
