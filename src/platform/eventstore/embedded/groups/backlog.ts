import type { Message } from './message.js';

/** Says what became of a message that was offered: undefined ends the offering. */
export type Offer = (message: Message) => 'taken' | 'left' | undefined;

/** What a group has read and no consumer has: what comes again goes before what is new, in the order of the source. */
export class Backlog {
  private readonly retried: Message[] = [];
  private readonly fresh: Message[] = [];

  get newCount(): number {
    return this.fresh.length;
  }

  get retriedCount(): number {
    return this.retried.length;
  }

  get size(): number {
    return this.fresh.length + this.retried.length;
  }

  add(message: Message): void {
    this.fresh.push(message);
  }

  /** Takes a message back. What was parked and is replayed waits behind the others that come again. */
  addAgain(message: Message): void {
    const { place } = message;
    const later = place === undefined ? -1 : this.retried.findIndex((other) => other.place !== undefined && other.place > place);
    this.retried.splice(later < 0 ? this.retried.length : later, 0, message);
  }

  /** Offers each message in turn; those that are taken are gone. */
  offer(to: Offer): void {
    for (const messages of [this.retried, this.fresh]) {
      for (let i = 0; i < messages.length; ) {
        const became = to(messages[i]!);
        if (became === undefined) return;
        if (became === 'taken') messages.splice(i, 1);
        else i++;
      }
    }
  }
}
