import { valueAt, type BlockHead, type ReadableBlock, type ReadableColumn } from '../../../domain/features/chunk.js';
import { KeyBytes, KeyTable } from '../../../domain/features/chunk-bytes/keys.js';

const none = -1;

/**
 * Leaves of rows what a read at one moment can want: of each entity the latest that is not after it; a tie goes to the
 * later row. So what is done with an event afterwards costs by the entities asked for, and not by its rows.
 */
export class LatestRows {
  private readonly ids: KeyTable;

  constructor(
    private readonly keys: readonly string[],
    private readonly atUs: number,
  ) {
    this.ids = new KeyTable(keys);
  }

  of(block: BlockHead & ReadableBlock): BlockHead & ReadableBlock {
    const { project, group, version, partition, mode, timeUs } = block;
    const latest = this.latestOf(block);
    const ids = [...this.keys.keys()].filter((id) => latest[id] !== none);
    const rows = ids.map((id) => latest[id]!);
    return {
      project, group, version, partition, mode,
      rows: rows.length,
      keys: ids.map((id) => this.keys[id]!),
      key: ids.map((_, at) => at),
      timeUs: rows.map((row) => timeUs[row]!),
      columns: { get: (feature) => valuesAt(block.columns.get(feature), rows) },
    };
  }

  /** By entity the place of its row, -1 where there is none. */
  private latestOf(block: ReadableBlock): Int32Array {
    const { rows, key, timeUs: times } = block;
    const latest = new Int32Array(this.keys.length).fill(none);
    const ids = this.ids.numbersOf(block.keyBytes ?? KeyBytes.of(block.keys));
    if (ids.every((id) => id === none)) return latest;
    for (let row = 0; row < rows; row++) {
      const id = ids[key[row]!]!;
      if (id === none) continue;
      const timeUs = times[row]!;
      if (timeUs <= this.atUs && (latest[id] === none || timeUs >= times[latest[id]!]!)) latest[id] = row;
    }
    return latest;
  }
}

const valuesAt = (column: ReadableColumn | null | undefined, rows: readonly number[]): ReadableColumn | null | undefined => column && rows.map((row) => valueAt(column, row));
