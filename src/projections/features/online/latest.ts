import { valueAt, type BlockHead, type RowBlock } from '../../../domain/features/chunk.js';
import type { FeatureEntityDeleted } from '../../../domain/features/deletion.js';
import { packRow } from './packed-row.js';
import { scopeOf } from './scope.js';

/** So many rows are kept as the blocks that they came in before the latest of them are put into words. */
const mostUnsettledRows = 100_000;

/** An entity's row: its event time, and its place in a block until its values are settled as the text of the table. */
interface Latest {
  timeUs: number;
  block?: RowBlock;
  row: number;
  values: string;
}

/** The newest row of every entity in a stretch of the log. A row that ties with an earlier one replaces it. */
export class LatestRows {
  private readonly scopes = new Map<string, Map<string, Latest>>();
  private deleted = new Map<string, [scope: string, key: string]>();
  private unsettled: Latest[] = [];
  private unsettledRows = 0;
  private rows = 0;
  private characters = 0;

  get size(): number {
    return this.rows;
  }

  /** Two bytes a character at worst, and what V8 needs for the entry, its object and its strings. */
  get heldBytes(): number {
    return this.characters * 2 + this.rows * 160 + this.deleted.size * 300 + this.unsettledRows * 150;
  }

  /** Whether there is a row of the entity. */
  holds(scope: string, key: string): boolean {
    return this.scopes.get(scope)?.has(key) ?? false;
  }

  add(block: BlockHead & RowBlock): void {
    if (block.mode === 'OFFLINE') return;
    const scope = this.rowsOf(scopeOf(block.project, block.group, block.version));
    const newest = newestRows(block);
    for (let index = 0; index < newest.length; index++) {
      const key = block.keys[index]!;
      const row = newest[index]!;
      if (row < 0) continue;
      const timeUs = block.timeUs[row]!;
      const held = scope.get(key);
      if (held === undefined) {
        const latest: Latest = { timeUs, block, row, values: '' };
        scope.set(key, latest);
        this.unsettled.push(latest);
        this.rows++;
        this.characters += key.length;
      } else if (held.timeUs <= timeUs) {
        if (held.block === undefined) this.unsettled.push(held);
        held.timeUs = timeUs;
        held.block = block;
        held.row = row;
      }
    }
    this.unsettledRows += block.rows;
    if (this.unsettledRows > mostUnsettledRows) this.settle();
  }

  /** Forgets the entity's rows in all versions that the deletion means. */
  delete({ project, group, version: last, key }: FeatureEntityDeleted['data']): void {
    for (let version = 1; version <= last; version++) {
      const scope = scopeOf(project, group, version);
      this.deleted.set(`${scope}${key}`, [scope, key]);
      const held = this.scopes.get(scope)?.get(key);
      if (held === undefined) continue;
      this.scopes.get(scope)!.delete(key);
      this.rows--;
      this.characters -= key.length + held.values.length;
      held.block = undefined;
    }
  }

  /** The entities that were deleted, each in one version; what is held of them was written later. */
  get deletions(): readonly (readonly [scope: string, key: string])[] {
    return [...this.deleted.values()];
  }

  /** All rows, each as the texts of the table's columns. */
  *texts(): Generator<[scope: string, key: string, timeUs: string, values: string]> {
    this.settle();
    for (const [scope, rows] of this.scopes) {
      for (const [key, { timeUs, values }] of rows) yield [scope, key, String(timeUs), values];
    }
  }

  clear(): void {
    this.scopes.clear();
    this.deleted.clear();
    this.unsettled = [];
    this.unsettledRows = this.rows = this.characters = 0;
  }

  /** Lets the blocks go: most of what is in them has been replaced by then, and was never put into words. */
  private settle(): void {
    for (const latest of this.unsettled) {
      // Deleted since.
      if (latest.block === undefined) continue;
      this.characters -= latest.values.length;
      latest.values = packRow(latest.timeUs, Array.from(latest.block.columns.values(), (column) => valueAt(column, latest.row)));
      this.characters += latest.values.length;
      latest.block = undefined;
    }
    this.unsettled = [];
    this.unsettledRows = 0;
  }

  private rowsOf(scope: string): Map<string, Latest> {
    let rows = this.scopes.get(scope);
    if (!rows) this.scopes.set(scope, (rows = new Map()));
    return rows;
  }
}

/** For each key of a block the row with the greatest event time, the last of them where they tie; -1 for a key without rows. */
function newestRows({ rows, keys, key, timeUs }: RowBlock): Int32Array {
  const newest = new Int32Array(keys.length).fill(-1);
  for (let row = 0; row < rows; row++) {
    const held = newest[key[row]!]!;
    if (held < 0 || timeUs[held]! <= timeUs[row]!) newest[key[row]!] = row;
  }
  return newest;
}
