import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { PlainAnswers, Read } from './plain.js';
import { patience_ms } from '../../support/until.js';
import type { Step } from './conversation.js';

/** What catch-up and persistent subscriptions have in common here. */
export interface Watchable {
  on(event: never, listener: never): unknown;
  unsubscribe(): Promise<void>;
}

/** What the real server sent to a subscription, as it was recorded. */
interface Sent {
  readonly got: readonly unknown[];
  readonly marks?: readonly string[];
  readonly ended?: unknown;
}

interface Acknowledging {
  ack(...events: Read[]): Promise<void>;
  nack(action: Step['action'], reason: string, ...events: Read[]): Promise<void>;
}

/** An open subscription and what it was sent since it was last asked. */
export class Watched {
  private readonly got: Read[] = [];
  private readonly unacknowledged: Read[] = [];
  private readonly marks: string[] = [];
  private error: Error | undefined;
  private isConfirmed = false;

  constructor(
    private readonly subscription: Watchable,
    keep: (read: Read) => boolean,
  ) {
    const events = subscription as unknown as Readable;
    events.on('data', (read: Read) => {
      if (!keep(read)) return;
      this.got.push(read);
      this.unacknowledged.push(read);
    });
    events.on('caughtUp', () => this.marks.push(`caught up after ${this.got.length}`));
    events.on('error', (error) => (this.error ??= error));
    events.on('confirmation', () => (this.isConfirmed = true));
  }

  async opened(plain: PlainAnswers): Promise<unknown> {
    await atMost(patience_ms, () => this.isConfirmed || this.error !== undefined);
    return this.error === undefined ? { confirmed: this.isConfirmed } : plain.failure(this.error);
  }

  /**
   * What came, once `count` events are there or the time is up, and a quiet moment has shown that no more are coming. What
   * the real server sent in that time may take a slow machine longer.
   */
  async collect(step: Step, plain: PlainAnswers, { got, marks = [], ended }: Sent): Promise<unknown> {
    await atMost(step.wait ?? 3000, () => this.got.length >= (step.count ?? 0) || this.error !== undefined);
    await atMost(patience_ms, () => this.error !== undefined || (ended === undefined && this.got.length >= got.length && this.marks.length >= marks.length));
    await pause(typeof step.quiet === 'number' ? step.quiet : 150);
    return {
      got: this.got.splice(0).map((read) => plain.resolved(read)),
      ...(step.marks && { marks: this.marks.splice(0) }),
      ...(this.error && { ended: plain.failure(this.error) }),
    };
  }

  async ack(step: Step, plain: PlainAnswers): Promise<unknown> {
    const some = this.take(step);
    await (this.subscription as unknown as Acknowledging).ack(...some);
    return this.settled(some, plain);
  }

  async nack(step: Step, plain: PlainAnswers): Promise<unknown> {
    const some = this.take(step);
    await (this.subscription as unknown as Acknowledging).nack(step.action, 'because', ...some);
    return this.settled(some, plain);
  }

  async close(): Promise<void> {
    // A subscription that the server has ended already does not answer.
    await Promise.race([this.subscription.unsubscribe(), pause(1000)]);
  }

  private take({ count }: Step): Read[] {
    return this.unacknowledged.splice(0, count ?? this.unacknowledged.length);
  }

  /** Acks are not answered: a quiet moment lets the server act on them. */
  private async settled(some: Read[], plain: PlainAnswers): Promise<unknown> {
    await pause(100);
    return some.map((read) => plain.nameOf((read.event ?? read.link)!.id));
  }
}

async function atMost(ms: number, isSo: () => boolean): Promise<void> {
  const end = Date.now() + ms;
  while (!isSo() && Date.now() < end) await pause(10);
}
