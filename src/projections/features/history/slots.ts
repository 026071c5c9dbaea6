import type { ReadableBlock } from '../../../domain/features/chunk.js';
import { KeyBytes, KeyTable } from '../../../domain/features/chunk-bytes/keys.js';

/** The moments at which one group's values are wanted: `keys[key[row]]` at `timeUs[row]`. */
export interface Moments {
  /** The distinct encoded keys. */
  readonly keys: readonly string[];
  /** By row the index of its key, -1 for a row without one. */
  readonly key: Int32Array;
  readonly timeUs: Float64Array;
}

/** Moments of one encoded key each, null for none. */
export function momentsAt(keys: readonly (string | null)[], timeUs: Float64Array): Moments {
  const numbers = new Map<string, number>();
  const key = Int32Array.from(keys, (one) => (one === null ? -1 : numberIn(numbers, one)));
  return { keys: [...numbers.keys()], key, timeUs };
}

/** The number of a text, a new one for a text not met before. */
export function numberIn(numbers: Map<string, number>, text: string): number {
  let number = numbers.get(text);
  if (number === undefined) numbers.set(text, (number = numbers.size));
  return number;
}

/**
 * The wanted moments ordered by entity and time. Each is a slot; the slots of one entity lie side by side, so that a
 * row of history finds the first moment it can serve by one binary search, and needs no other place than that.
 */
export class Slots {
  /** The moment of each slot, ascending within an entity. */
  readonly timeUs: Float64Array;
  /** The request's row behind each slot. */
  readonly row: Uint32Array;
  /** Slots `from[id]` up to `from[id + 1]` are those of one entity. */
  readonly from: Uint32Array;
  readonly entities: number;
  private readonly ids: KeyTable;

  constructor({ keys, key, timeUs }: Moments) {
    this.entities = keys.length;
    this.ids = new KeyTable(keys);
    this.from = startsOf(key, keys.length);
    this.row = rowsById(key, this.from);
    for (let id = 0; id < keys.length; id++) sortByTime(this.row.subarray(this.from[id], this.from[id + 1]), timeUs);
    this.timeUs = new Float64Array(this.row.length);
    for (let slot = 0; slot < this.row.length; slot++) this.timeUs[slot] = timeUs[this.row[slot]!]!;
  }

  /** The entities' numbers for a dictionary of keys, -1 for those that nobody wants. */
  idsOf(block: Pick<ReadableBlock, 'keys' | 'keyBytes'>): Int32Array {
    return this.ids.numbersOf(block.keyBytes ?? KeyBytes.of(block.keys));
  }

  /** The entity's first slot at or after a moment; `from[id + 1]` when all lie before it. */
  firstAt(id: number, timeUs: number): number {
    let low = this.from[id]!;
    let high = this.from[id + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.timeUs[middle]! < timeUs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function startsOf(idOfRow: Int32Array, entities: number): Uint32Array {
  const from = new Uint32Array(entities + 1);
  for (const id of idOfRow) if (id >= 0) from[id + 1]!++;
  for (let id = 0; id < entities; id++) from[id + 1]! += from[id]!;
  return from;
}

function rowsById(idOfRow: Int32Array, from: Uint32Array): Uint32Array {
  const next = from.slice();
  const rows = new Uint32Array(from.at(-1)!);
  for (let row = 0; row < idOfRow.length; row++) {
    const id = idOfRow[row]!;
    if (id >= 0) rows[next[id]!++] = row;
  }
  return rows;
}

/** Requests mostly come in order of time already. */
function sortByTime(rows: Uint32Array, timeUs: Float64Array): void {
  for (let i = 1; i < rows.length; i++) {
    if (timeUs[rows[i]!]! < timeUs[rows[i - 1]!]!) {
      rows.sort((a, b) => timeUs[a]! - timeUs[b]!);
      return;
    }
  }
}
