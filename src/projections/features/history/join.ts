import type { ReadableBlock } from '../../../domain/features/chunk.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import { SlotValues } from './slot-values.js';
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

/** Of each slot: its moment; of the best row for it so far the event time, in which step it came, and its place in the block of that step. */
const ofSlot = 4;
const moment = 0;
const best = 1;
const bestStep = 2;
const bestRow = 3;

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
  /** By slot four numbers side by side, because most rows of history need them together: see `moment` to `bestRow`. */
  private readonly state: Float64Array;
  private readonly values: readonly SlotValues[];
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
    this.state = new Float64Array(size * ofSlot);
    for (let slot = 0; slot < size; slot++) {
      this.state[slot * ofSlot + moment] = this.slots.timeUs[slot]!;
      this.state[slot * ofSlot + best] = -Infinity;
    }
    this.erased = new Uint8Array(size);
    this.values = options.features.map(() => new SlotValues(size));
    this.lastSlot = this.slots.from.slice(0, this.slots.entities);
    this.winner = new Int32Array(moments.key.length).fill(none);
  }

  /** Takes the rows of one event, recorded after all that was added before. */
  add(block: ReadableBlock, recordedAtUs: number): void {
    const step = ++this.step;
    const ids = this.slots.idsOf(block);
    if (ids.every((id) => id === none)) return;
    const { state } = this;
    const { rows, key, timeUs: times } = block;
    const touched: number[] = [];
    const notBefore = this.options.knownAtRowTime ? recordedAtUs : -Infinity;
    for (let row = 0; row < rows; row++) {
      const id = ids[key[row]!]!;
      if (id === none) continue;
      const timeUs = times[row]!;
      const slot = this.firstSlot(id, timeUs > notBefore ? timeUs : notBefore);
      const at = slot * ofSlot;
      if (slot === none || timeUs < state[at + best]!) continue;
      state[at + best] = timeUs;
      state[at + bestRow] = row;
      if (state[at + bestStep] !== step) touched.push(slot);
      state[at + bestStep] = step;
    }
    this.keep(block, touched);
  }

  /** Hides what was added before of these entities; where moments see only what was recorded by then, from that moment on, and to those before it the values are erased. */
  delete(keys: readonly string[], recordedAtUs: number): void {
    const step = ++this.step;
    for (const id of this.slots.idsOf({ keys })) {
      if (id === none) continue;
      const first = this.options.knownAtRowTime ? this.slots.firstAt(id, recordedAtUs) : this.slots.from[id]!;
      const end = this.slots.from[id + 1]!;
      this.eraseSlots(this.slots.from[id]!, first);
      for (let slot = first; slot < end; slot++) this.state[slot * ofSlot + best] = -Infinity;
      if (first < end) this.deletions.set(first, step);
    }
  }

  /** Forgets the values of what was added before of these entities: there was something, but nobody is told what. */
  erase(keys: readonly string[]): void {
    for (const id of this.slots.idsOf({ keys })) if (id !== none) this.eraseSlots(this.slots.from[id]!, this.slots.from[id + 1]!);
  }

  /** Decides which row each moment gets. Call it once, after all history. */
  finish(): void {
    const { slots, options } = this;
    const oldest = options.ttlUs === 0 ? Infinity : options.ttlUs;
    for (let id = 0; id < slots.entities; id++) {
      let current = none;
      for (let slot = slots.from[id]!; slot < slots.from[id + 1]!; slot++) {
        const deleted = this.deletions.get(slot);
        if (current !== none && deleted !== undefined && this.stepOf(current) < deleted) current = none;
        if (this.timeOf(slot) > -Infinity && (current === none || this.timeOf(slot) >= this.timeOf(current))) current = slot;
        if (current !== none && this.timeOf(current) >= slots.timeUs[slot]! - oldest) this.winner[slots.row[slot]!] = current;
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
    return slot === none ? null : this.timeOf(slot);
  }

  /** A feature's value at a moment, null where there is none. */
  value(feature: number, row: number): FeatureValue | null {
    const slot = this.winner[row]!;
    return slot === none ? null : this.values[feature]!.at(slot);
  }

  /** The event time of the best row for a slot, -Infinity while it has none. */
  private timeOf(slot: number): number {
    return this.state[slot * ofSlot + best]!;
  }

  private stepOf(slot: number): number {
    return this.state[slot * ofSlot + bestStep]!;
  }

  /** The first slot that may see something of a time; none when all its moments lie before. */
  private firstSlot(id: number, timeUs: number): number {
    const { slots, state } = this;
    const last = this.lastSlot[id]!;
    const isAfter = state[last * ofSlot + moment]! < timeUs;
    if (!isAfter && (last === slots.from[id] || state[(last - 1) * ofSlot + moment]! < timeUs)) return last;
    const end = slots.from[id + 1]!;
    const next = last + 1;
    const isNext = isAfter && (next === end || state[next * ofSlot + moment]! >= timeUs);
    const slot = isNext ? next : slots.firstAt(id, timeUs);
    if (slot === end) return none;
    this.lastSlot[id] = slot;
    return slot;
  }

  /** Copies out what won, so that the block itself can go. */
  private keep(block: ReadableBlock, touched: readonly number[]): void {
    const rows = touched.map((slot) => this.state[slot * ofSlot + bestRow]!);
    this.options.features.forEach((feature, at) => this.values[at]!.take(touched, rows, block.columns.get(feature)));
    for (const slot of touched) this.erased[slot] = 0;
  }

  private eraseSlots(from: number, to: number): void {
    for (let slot = from; slot < to; slot++) {
      if (this.timeOf(slot) === -Infinity) continue;
      this.erased[slot] = 1;
      for (const values of this.values) values.clear(slot);
    }
  }
}
