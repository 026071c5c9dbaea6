import type { ClientBase } from 'pg';
import type { StoredEvent } from '../../../platform/eventstore/port.js';
import type { SkippedEvents } from '../../../domain/projections/state.js';
import type { View, ViewBuild } from '../../kit/view.js';
import { ViewFailed } from '../failures.js';
import { divide, keyOf, ParkedKeys, type HeldEvent } from './keys.js';
import type { Shelf } from './shelf.js';
import { messageOf, mostParkedKeys } from './take.js';

/** What V8 needs for a held event without its data, roughly. */
const bytesPerHeldEvent = 500;

/** A rebuild's fold that goes on when an event cannot be taken: the event and the later ones of its key are kept for the shelf. */
export class ParkingBuild implements Pick<ViewBuild, 'add' | 'heldBytes'> {
  /** The keys that have waiting events. */
  readonly parked = new ParkedKeys();
  private readonly failures = new Map<string, string>();
  private readonly held: HeldEvent[] = [];

  constructor(
    private readonly view: View,
    private readonly build: ViewBuild,
    private readonly skipped: SkippedEvents,
  ) {}

  get heldBytes(): number {
    return this.build.heldBytes + this.held.length * bytesPerHeldEvent;
  }

  /** A fold is pure: what fails once fails always, so nothing is tried again. */
  add(event: StoredEvent): void {
    const [waits] = this.parked.size === 0 ? [] : divide(this.view, this.parked, [event]).held;
    if (waits) return this.hold(waits);
    try {
      this.build.add(event);
    } catch (cause) {
      if (this.skipped.has(event.id)) return;
      if (this.parked.size >= mostParkedKeys) throw new ViewFailed(this.view.name, [event], cause);
      const key = keyOf(this.view, event);
      this.failures.set(key, messageOf(cause));
      this.hold({ event, key });
    }
  }

  /** Writes what had to wait, in the transaction that writes the rows. */
  async writeHeld(client: ClientBase, shelf: Shelf): Promise<void> {
    await shelf.hold(client, this.held);
    for (const [key, error] of this.failures) await shelf.fail(client, key, error, 1);
    this.held.length = 0;
    this.failures.clear();
  }

  /** Of an event that waits only its place is needed, so that its data can be let go. */
  private hold({ event, key }: HeldEvent): void {
    const { id, type, stream, revision, position } = event;
    this.held.push({ event: { id, type, stream, revision, position }, key });
    this.parked.add(key, position);
  }
}
