import type { Outlet } from '../reading/outlet.js';
import { frame } from '../wire/framed.js';
import { bytesField, message, stringField, varintField } from '../../protobuf.js';
import { readEventOf, withStructuredIds } from '../wire/replies.js';
import type { Message } from './message.js';
import type { Refusal } from '../refusals.js';

/** Unacknowledged events that one reader may have at most, whatever it asks for. */
const MOST_SLOTS = 100_000;

/** One connected reader of a group: it has at most `slots` events that it has not acknowledged, and none waiting to be sent beyond what it takes. */
export class Consumer {
  readonly unacknowledged = new Map<string, Message>();
  readonly slots: number;
  total = 0;
  /** Hears when a reader that did not take what was sent has room again. */
  onRoom: () => void = () => undefined;

  constructor(
    private readonly outlet: Outlet,
    slots: number,
    private readonly structuredIds: boolean,
    readonly about: { readonly from: string; readonly connectionName: string; readonly username: string },
    /** Ends the reader's call. */
    readonly drop: (reason: Refusal) => void,
  ) {
    this.slots = Math.min(slots, MOST_SLOTS);
  }

  get hasRoom(): boolean {
    return this.unacknowledged.size < this.slots && !this.outlet.isFull;
  }

  confirm(id: string): void {
    this.outlet.add(frame(bytesField(2, stringField(1, id))));
    void this.outlet.flush();
  }

  send({ retries }: Message, framed: Buffer): void {
    this.total++;
    this.outlet.add(frame(bytesField(1, message(readEventOf(this.structuredIds ? withStructuredIds(framed) : framed), varintField(5, retries)))));
    const isFull = this.outlet.isFull;
    void this.outlet.flush().then(() => isFull && this.onRoom());
  }
}
