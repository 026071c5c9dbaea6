/** The moments at which one group's values are wanted: `keys[row]` (an encoded entity key, null for none) at `timeUs[row]`. */
export interface Moments {
  readonly keys: readonly (string | null)[];
  readonly timeUs: Float64Array;
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
  private readonly ids = new Map<string, number>();

  constructor(moments: Moments) {
    const { keys, timeUs } = moments;
    const idOfRow = Int32Array.from(keys, (key) => (key === null ? -1 : this.numberOf(key)));
    this.from = startsOf(idOfRow, this.ids.size);
    this.row = rowsById(idOfRow, this.from);
    for (let id = 0; id < this.ids.size; id++) sortByTime(this.row.subarray(this.from[id], this.from[id + 1]), timeUs);
    this.timeUs = Float64Array.from(this.row, (row) => timeUs[row]!);
  }

  get entities(): number {
    return this.ids.size;
  }

  /** The entities' numbers for a dictionary of keys, -1 for those that nobody wants. */
  idsOf(keys: readonly string[]): Int32Array {
    const ids = new Int32Array(keys.length);
    for (let i = 0; i < keys.length; i++) ids[i] = this.ids.get(keys[i]!) ?? -1;
    return ids;
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

  private numberOf(key: string): number {
    let id = this.ids.get(key);
    if (id === undefined) this.ids.set(key, (id = this.ids.size));
    return id;
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
