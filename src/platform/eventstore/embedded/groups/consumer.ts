import type { Outlet } from '../reading/outlet.js';
import { frame } from '../wire/framed.js';
import { bytesField, message, stringField, varintField } from '../../protobuf.js';
import { readEventOf, withStructuredIds } from '../wire/replies.js';
import type { Message } from './message.js';
import type { Refusal } from '../refusals.js';

/** One connected reader of a group: it has at most `slots` events that it has not acknowledged. */
export class Consumer {
  readonly unacknowledged = new Map<string, Message>();
  total = 0;

  constructor(
    private readonly outlet: Outlet,
    readonly slots: number,
    private readonly structuredIds: boolean,
    readonly about: { readonly from: string; readonly connectionName: string; readonly username: string },
    /** Ends the reader's call. */
    readonly drop: (reason: Refusal) => void,
  ) {}

  get hasRoom(): boolean {
    return this.unacknowledged.size < this.slots;
  }

  confirm(id: string): void {
    this.outlet.add(frame(bytesField(2, stringField(1, id))));
    void this.outlet.flush();
  }

  send(next: Message): void {
    this.total++;
    const framed = this.structuredIds ? withStructuredIds(next.frame) : next.frame;
    this.outlet.add(frame(bytesField(1, message(readEventOf(framed), varintField(5, next.retries)))));
    void this.outlet.flush();
  }
}
