import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Block } from '../store/block.js';
import type { EventStore } from '../store/event-store.js';
import { withStructuredIds } from '../wire/replies.js';
import type { Cursor, Slice } from './cursor.js';
import type { RowFilter } from './filter.js';
import { resolvedFrame } from './links.js';
import type { Outlet } from './outlet.js';

/** How a reader wants its events. */
export interface Form {
  readonly resolveLinks: boolean;
  readonly structuredIds: boolean;
}

/** Slices searched before other calls get their turn, when nothing of them is sent. */
const SLICES_A_TURN = 16;

/** Sends what a cursor finds to one reader. */
export class Delivery {
  /** Events sent so far. */
  sent = 0;

  constructor(
    private readonly store: EventStore,
    private readonly outlet: Outlet,
    private readonly form: Form,
    private readonly filter: RowFilter | undefined,
    private readonly backwards = false,
  ) {}

  /** Sends until the cursor is at its end, `limit` events are sent or the reader is gone. `afterSlice` hears of each slice that was searched. */
  async run(cursor: Cursor, limit = Infinity, afterSlice?: (slice: Slice) => void): Promise<void> {
    let quiet = 0;
    const until = this.sent + limit;
    while (this.sent < until && !this.outlet.isClosed) {
      const slice = cursor.next();
      if (slice === undefined) break;
      this.send(slice, until);
      afterSlice?.(slice);
      if (this.outlet.isFull) {
        await this.outlet.flushFull();
        quiet = 0;
      } else if (++quiet % SLICES_A_TURN === 0) await nextTurn();
    }
    await this.outlet.flush();
  }

  private send({ block, from, to }: Slice, until: number): void {
    if (this.backwards) {
      for (let row = to - 1; row >= from && this.sent < until; row--) this.sendRow(block, row);
      return;
    }
    if (this.filter !== undefined || this.form.resolveLinks || this.form.structuredIds) {
      for (let row = from; row < to && this.sent < until; row++) this.sendRow(block, row);
      return;
    }
    // The rows lie next to each other as they are sent.
    let row = from;
    for (; row < to && this.sent < until; row++) if (block.has(row)) this.sent++;
    this.outlet.add(block.frames(from, row));
  }

  private sendRow(block: Block, row: number): void {
    if (!block.has(row) || this.filter?.(block, row) === false) return;
    const frame = this.form.resolveLinks ? resolvedFrame(this.store, block, row) : block.frame(row);
    this.outlet.add(this.form.structuredIds ? withStructuredIds(frame) : frame);
    this.sent++;
  }
}
