import { valueAt, type BlockHead, type ReadableBlock, type ReadableColumn } from '../../../domain/features/chunk.js';
import { KeyBytes, KeyTable } from '../../../domain/features/chunk-bytes/keys.js';

const none = -1;

/** The moment that rows are wanted of, and, where windows want more than the latest row, the moment after which all are. */
export interface WantedTimes {
  readonly atUs: number;
  readonly sinceUs?: number;
}

/**
 * Leaves of rows what a read at one moment can want: of each entity the latest that is not after it (a tie goes to the later
 * row), and those of a window that ends there. So what is done with an event afterwards costs by what is wanted of it.
 */
export class WantedRows {
  private readonly ids: KeyTable;
  private readonly keyBytes: KeyBytes;
  private readonly atUs: number;
  private readonly sinceUs: number;

  constructor(
    private readonly keys: readonly string[],
    { atUs, sinceUs = atUs }: WantedTimes,
  ) {
    this.ids = new KeyTable(keys);
    this.keyBytes = KeyBytes.of(keys);
    this.atUs = atUs;
    this.sinceUs = sinceUs;
  }

  of(block: BlockHead & ReadableBlock): BlockHead & ReadableBlock {
    const { project, group, version, partition, mode, key, timeUs } = block;
    const ids = this.ids.numbersOf(block.keyBytes ?? KeyBytes.of(block.keys));
    const rows = ids.every((id) => id === none) ? [] : this.rowsOf(block, ids);
    return {
      project, group, version, partition, mode,
      rows: rows.length,
      keys: this.keys,
      keyBytes: this.keyBytes,
      key: rows.map((row) => ids[key[row]!]!),
      timeUs: rows.map((row) => timeUs[row]!),
      columns: { get: (feature) => valuesAt(block.columns.get(feature), rows) },
    };
  }

  /** The places of the wanted rows, in their order. */
  private rowsOf({ rows, key, timeUs: times }: ReadableBlock, ids: Int32Array): number[] {
    const latest = new Int32Array(this.keys.length).fill(none);
    const wanted: number[] = [];
    for (let row = 0; row < rows; row++) {
      const id = ids[key[row]!]!;
      if (id === none) continue;
      const timeUs = times[row]!;
      if (timeUs > this.atUs) continue;
      if (timeUs > this.sinceUs) wanted.push(row);
      if (latest[id] === none || timeUs >= times[latest[id]!]!) latest[id] = row;
    }
    for (const row of latest) if (row !== none && times[row]! <= this.sinceUs) wanted.push(row);
    return wanted.sort((a, b) => a - b);
  }
}

const valuesAt = (column: ReadableColumn | null | undefined, rows: readonly number[]): ReadableColumn | null | undefined => column && rows.map((row) => valueAt(column, row));
