import { valueAt, type RowBlock } from '../../../domain/features/chunk.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import { Slots, type Moments } from './slots.js';

export interface JoinOptions {
  /** The features wanted, in the order of the answer. */
  readonly features: readonly string[];
  /** How long before a moment a value may lie, both ends included; 0 for ever. */
  readonly ttlUs: number;
  /** Whether a moment sees only what had been recorded by then. */
  readonly knownAtRowTime?: boolean;
}

const none = -1;

/**
 * The point-in-time join of one group: for each wanted moment the entity's row with the greatest event time that is
 * not after it (a tie goes to the later write) and not older than the TTL. Feed it the group's history in the order
 * of the log, then call `finish`.
 *
 * A row of history is worth keeping only in the first slot it can serve, and there only while it is the best:
 * later slots take over the best of the earlier ones at the end. So the join holds one row a moment however long the
 * history is, sorts nothing of it, and looks at each of its rows once.
 */
export class PointInTimeJoin {
  private readonly slots: Slots;
  /** By slot: the best row's event time, and in which step it came. */
  private readonly best: Float64Array;
  private readonly bestStep: Uint32Array;
  private readonly bestRow: Uint32Array;
  private readonly values: (FeatureValue | null)[][];
  /** By entity: the slot found last, because one entity's history mostly comes in order of time. */
  private readonly lastSlot: Uint32Array;
  /** By slot: the step of the deletion that ends what earlier slots hold. */
  private readonly deletions = new Map<number, number>();
  /** By slot: 1 where its row belongs to an entity that was deleted later. */
  private readonly erased: Uint8Array;
  private readonly winner: Int32Array;
  private step = 0;

  constructor(
    moments: Moments,
    private readonly options: JoinOptions,
  ) {
    this.slots = new Slots(moments);
    const size = this.slots.row.length;
    this.best = new Float64Array(size).fill(-Infinity);
    this.bestStep = new Uint32Array(size);
    this.bestRow = new Uint32Array(size);
    this.erased = new Uint8Array(size);
    this.values = options.features.map(() => new Array<FeatureValue | null>(size).fill(null));
    this.lastSlot = this.slots.from.slice(0, this.slots.entities);
    this.winner = new Int32Array(moments.keys.length).fill(none);
  }

  /** Takes the rows of one event, recorded after all that was added before. */
  add(block: RowBlock, recordedAtUs: number): void {
    const step = ++this.step;
    const ids = this.slots.idsOf(block.keys);
    if (ids.every((id) => id === none)) return;
    const { best, bestStep, bestRow } = this;
    const touched: number[] = [];
    const notBefore = this.options.knownAtRowTime ? recordedAtUs : -Infinity;
    for (let row = 0; row < block.rows; row++) {
      const id = ids[block.key[row]!]!;
      if (id === none) continue;
      const timeUs = block.timeUs[row]!;
      const slot = this.firstSlot(id, timeUs > notBefore ? timeUs : notBefore);
      if (slot === none || timeUs < best[slot]!) continue;
      best[slot] = timeUs;
      bestRow[slot] = row;
      if (bestStep[slot] !== step) touched.push(slot);
      bestStep[slot] = step;
    }
    this.keep(block, touched);
  }

  /** Hides what was added before of these entities; where moments see only what was recorded by then, from that moment on, and to those before it the values are erased. */
  delete(keys: readonly string[], recordedAtUs: number): void {
    const step = ++this.step;
    for (const id of this.slots.idsOf(keys)) {
      if (id === none) continue;
      const first = this.options.knownAtRowTime ? this.slots.firstAt(id, recordedAtUs) : this.slots.from[id]!;
      const end = this.slots.from[id + 1]!;
      this.eraseSlots(this.slots.from[id]!, first);
      this.best.fill(-Infinity, first, end);
      if (first < end) this.deletions.set(first, step);
    }
  }

  /** Forgets the values of what was added before of these entities: there was something, but nobody is told what. */
  erase(keys: readonly string[]): void {
    for (const id of this.slots.idsOf(keys)) if (id !== none) this.eraseSlots(this.slots.from[id]!, this.slots.from[id + 1]!);
  }

  /** Decides which row each moment gets. Call it once, after all history. */
  finish(): void {
    const { slots, best, options } = this;
    const oldest = options.ttlUs === 0 ? Infinity : options.ttlUs;
    for (let id = 0; id < slots.entities; id++) {
      let current = none;
      for (let slot = slots.from[id]!; slot < slots.from[id + 1]!; slot++) {
        const deleted = this.deletions.get(slot);
        if (current !== none && deleted !== undefined && this.bestStep[current]! < deleted) current = none;
        if (best[slot]! > -Infinity && (current === none || best[slot]! >= best[current]!)) current = slot;
        if (current !== none && best[current]! >= slots.timeUs[slot]! - oldest) this.winner[slots.row[slot]!] = current;
      }
    }
  }

  /** Whether a moment has a row at all; its values may be null all the same. */
  matched(row: number): boolean {
    return this.winner[row] !== none;
  }

  /** Whether a moment's row belongs to an entity that was deleted later. */
  deleted(row: number): boolean {
    const slot = this.winner[row]!;
    return slot !== none && this.erased[slot] === 1;
  }

  /** The event time of the row that a moment got. */
  eventTimeUs(row: number): number | null {
    const slot = this.winner[row]!;
    return slot === none ? null : this.best[slot]!;
  }

  /** A feature's value at a moment, null where there is none. */
  value(feature: number, row: number): FeatureValue | null {
    const slot = this.winner[row]!;
    return slot === none ? null : this.values[feature]![slot]!;
  }

  /** The first slot that may see something of a time; none when all its moments lie before. */
  private firstSlot(id: number, timeUs: number): number {
    const { slots } = this;
    const last = this.lastSlot[id]!;
    if (slots.timeUs[last]! >= timeUs && (last === slots.from[id] || slots.timeUs[last - 1]! < timeUs)) return last;
    const slot = slots.firstAt(id, timeUs);
    if (slot === slots.from[id + 1]) return none;
    this.lastSlot[id] = slot;
    return slot;
  }

  /** Copies out what won, so that the block itself can go. */
  private keep(block: RowBlock, touched: readonly number[]): void {
    this.options.features.forEach((feature, at) => {
      const column = block.columns.get(feature);
      const values = this.values[at]!;
      for (const slot of touched) values[slot] = valueAt(column, this.bestRow[slot]!);
    });
    for (const slot of touched) this.erased[slot] = 0;
  }

  private eraseSlots(from: number, to: number): void {
    for (let slot = from; slot < to; slot++) {
      if (this.best[slot] === -Infinity) continue;
      this.erased[slot] = 1;
      for (const values of this.values) values[slot] = null;
    }
  }
}
