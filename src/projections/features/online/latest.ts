import { valueAt, type BlockHead, type Column, type RowBlock } from '../../../domain/features/chunk.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import { scopeOf } from './scope.js';

/** An entity's row: its event time and, as a JSON array in the group's order of features, its values. */
export interface LatestRow {
  readonly timeUs: number;
  readonly values: string;
}

/** The newest row of every entity in a stretch of the log. A row that ties with an earlier one replaces it. */
export class LatestRows {
  private readonly scopes = new Map<string, Map<string, LatestRow>>();
  private rows = 0;
  private characters = 0;

  get size(): number {
    return this.rows;
  }

  /** Two bytes a character at worst, and what V8 needs for the entry, its object and its strings. */
  get heldBytes(): number {
    return this.characters * 2 + this.rows * 160;
  }

  add(block: BlockHead & RowBlock): void {
    if (block.mode === 'OFFLINE') return;
    const scope = this.rowsOf(scopeOf(block.project, block.group, block.version));
    const columns = [...block.columns.values()];
    for (const [index, row] of newestRows(block).entries()) {
      const key = block.keys[index]!;
      const timeUs = block.timeUs[row]!;
      const held = scope.get(key);
      if (held !== undefined && held.timeUs > timeUs) continue;
      const values = valuesText(columns, row);
      scope.set(key, { timeUs, values });
      if (held === undefined) {
        this.rows++;
        this.characters += key.length + values.length;
      } else this.characters += values.length - held.values.length;
    }
  }

  /** All rows, each as the texts of the table's columns. */
  *texts(): Generator<[scope: string, key: string, timeUs: string, values: string]> {
    for (const [scope, rows] of this.scopes) {
      for (const [key, { timeUs, values }] of rows) yield [scope, key, String(timeUs), values];
    }
  }

  clear(): void {
    this.scopes.clear();
    this.rows = this.characters = 0;
  }

  private rowsOf(scope: string): Map<string, LatestRow> {
    let rows = this.scopes.get(scope);
    if (!rows) this.scopes.set(scope, (rows = new Map()));
    return rows;
  }
}

/** For each key of a block the row with the greatest event time, the last of them where they tie. */
function newestRows({ rows, keys, key, timeUs }: RowBlock): Int32Array {
  const newest = new Int32Array(keys.length).fill(-1);
  for (let row = 0; row < rows; row++) {
    const held = newest[key[row]!]!;
    if (held < 0 || timeUs[held]! <= timeUs[row]!) newest[key[row]!] = row;
  }
  return newest;
}

function valuesText(columns: readonly (Column | null)[], row: number): string {
  let text = '[';
  for (let index = 0; index < columns.length; index++) text += (index === 0 ? '' : ',') + jsonOf(valueAt(columns[index], row));
  return text + ']';
}

function jsonOf(value: FeatureValue | null): string {
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? `${value}` : JSON.stringify(value);
}
