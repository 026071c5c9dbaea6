import type { Position } from '../../platform/eventstore/port.js';
import type { Row } from './keyed-table.js';

/** What a row was from the place of one event up to, and without, that of another. */
export interface RowVersion {
  readonly row: Row;
  readonly from: Position;
  /** Undefined while it is still so. */
  to?: Position;
}

/** Where a version ends that was there before the events at hand. */
export interface Ending {
  readonly key: Row;
  readonly at: Position;
}

/** Gathers what becomes of rows while events are folded, in the order of the log. */
export class Versions {
  /** Versions that began with these events; the last of each key may still be open. */
  readonly begun: RowVersion[] = [];
  private readonly open = new Map<string, RowVersion>();
  private readonly ended = new Map<string, Ending>();

  /** The ends of versions that are in the table already. */
  get endings(): Iterable<Ending> {
    return this.ended.values();
  }

  get isEmpty(): boolean {
    return this.begun.length === 0 && this.ended.size === 0;
  }

  /** Notes one event's change of a row. A handler that gives the row back as it was changes nothing. */
  note(keyText: string, key: Row, before: Row | undefined, after: Row | undefined, at: Position): void {
    if (before === after) return;
    const open = this.open.get(keyText);
    if (open) open.to = at;
    else if (before) this.ended.set(keyText, { key, at });
    if (!after) return void this.open.delete(keyText);
    const version: RowVersion = { row: after, from: at };
    this.begun.push(version);
    this.open.set(keyText, version);
  }

  clear(): void {
    this.begun.length = 0;
    this.open.clear();
    this.ended.clear();
  }
}
