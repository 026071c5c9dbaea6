import { EventStoreTimeout, EventStoreUnavailable } from '../../platform/eventstore/errors.js';
import type { EventStore, NewEvent, Position } from '../../platform/eventstore/port.js';

/** Below the server's limit of 1 MiB for one append, by a bound that is mostly far too high. */
const mostBytes = 900 * 1024;
const mostEvents = 500;
const attempts = 3;
/** How far the clocks of this machine and of the log's may differ. */
const clockSkewMs = 60_000;

interface Waiting {
  readonly event: NewEvent;
  readonly bytes: number;
  readonly done: (position: Position) => void;
  readonly failed: (error: unknown) => void;
  /** What must be durable before this; undefined once it is. */
  after: Promise<unknown> | undefined;
}

/**
 * Appends events of rows. While one append to a stream is under way, those that come for the same stream gather and
 * go together in the next: a thousand small writes cost a few appends, and a lone one does not wait.
 */
export class RowLog {
  private readonly queues = new Map<string, Waiting[]>();

  constructor(private readonly eventStore: EventStore) {}

  /**
   * Resolves when the event is durable, with a position at or after it. It keeps its place in its stream's queue while
   * it waits for what it comes `after`, and fails with that.
   */
  append(stream: string, event: NewEvent, bytes: number, after?: Promise<unknown>): Promise<Position> {
    return new Promise((done, failed) => {
      const waiting: Waiting = { event, bytes, done, failed, after };
      after?.then(() => {
        waiting.after = undefined;
      }, failed);
      const queue = this.queues.get(stream);
      if (queue) queue.push(waiting);
      else {
        this.queues.set(stream, [waiting]);
        void this.drain(stream);
      }
    });
  }

  private async drain(stream: string): Promise<void> {
    const queue = this.queues.get(stream)!;
    while (queue.length > 0) {
      const { after } = queue[0]!;
      if (after && !(await succeeds(after))) {
        queue.shift();
        continue;
      }
      const batch = takeBatch(queue);
      try {
        const position = await this.write(stream, batch.map(({ event }) => event));
        for (const { done } of batch) done(position);
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    this.queues.delete(stream);
  }

  /** An append of unknown outcome is looked for before it is tried again, so that no row is there twice. */
  private async write(stream: string, events: NewEvent[]): Promise<Position> {
    const started = Date.now();
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.eventStore.append(stream, events, { expected: 'any' })).position;
      } catch (error) {
        if (!(error instanceof EventStoreUnavailable || error instanceof EventStoreTimeout) || attempt === attempts) throw error;
        const found = error.outcomeUnknown && (await this.find(stream, events.at(-1)!.id, started - clockSkewMs));
        if (found) return found;
      }
    }
  }

  private async find(stream: string, id: string, sinceMs: number): Promise<Position | undefined> {
    for await (const event of this.eventStore.readStream(stream, { direction: 'backwards', from: 'end' })) {
      if (event.id === id) return event.position;
      if (event.recordedAt.getTime() < sinceMs) return undefined;
    }
    return undefined;
  }
}

const succeeds = (work: Promise<unknown>): Promise<boolean> => work.then(() => true, () => false);

function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  while (count < queue.length && count < mostEvents && !queue[count]!.after && (count === 0 || bytes + queue[count]!.bytes <= mostBytes)) bytes += queue[count++]!.bytes;
  return queue.splice(0, count);
}
