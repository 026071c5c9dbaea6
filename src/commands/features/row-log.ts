import { setTimeout } from 'node:timers/promises';
import { Refusal } from '../../domain/kit/index.js';
import { EventStoreTimeout, EventStoreUnavailable, WrongExpectedRevision } from '../../platform/eventstore/errors.js';
import type { EventStore, NewEvent, Position } from '../../platform/eventstore/port.js';
import { StreamTails, type StreamTail } from './stream-tails.js';

/** Below the server's limit of 1 MiB for one append, by a bound that is mostly far too high. */
const mostBytes = 900 * 1024;
const mostEvents = 500;
/** How often an append is tried that the log does not answer, and one that other processes are always ahead of. */
const attempts = 3;
const races = 50;
const longestPauseMs = 50;

interface Waiting {
  readonly event: NewEvent;
  readonly bytes: number;
  readonly done: (position: Position) => void;
  readonly failed: (error: unknown) => void;
  /** What must be durable before this; undefined once it is. */
  after: Promise<unknown> | undefined;
}

/**
 * Appends events of rows, each once however often it is given. While one append to a stream is under way, those that
 * come for the same stream gather and go together in the next: a thousand small writes cost a few appends, and a lone
 * one does not wait. The server recognises a repeated event only among the newest, and not within other events, so the
 * end of each stream is known here and every append expects it: whatever came meanwhile is looked at first.
 */
export class RowLog {
  private readonly queues = new Map<string, Waiting[]>();
  private readonly tails: StreamTails;

  constructor(private readonly eventStore: EventStore) {
    this.tails = new StreamTails(eventStore);
  }

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
        await this.write(stream, batch);
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    this.queues.delete(stream);
  }

  private async write(stream: string, batch: readonly Waiting[]): Promise<void> {
    for (let failures = 0, lost = 0; ; ) {
      const tail = this.tails.known(stream) ?? (await this.tails.read(stream));
      const missing = batch.filter(({ event, done }) => !answered(tail, event, done));
      if (missing.length === 0) return;
      try {
        const { revision, position } = await this.eventStore.append(stream, missing.map(({ event }) => event), { expected: tail.revision < 0n ? 'none' : tail.revision });
        this.tails.extend(stream, missing.map(({ event }) => event.id), { revision, position });
        for (const { done } of missing) done(position);
        return;
      } catch (error) {
        // Whatever it was, the stream may have grown.
        this.tails.doubt(stream);
        if (error instanceof WrongExpectedRevision) {
          if (++lost === races) throw new Refusal('ABORTED', 'Others kept writing here at the same time; try again', { reason: 'CONCURRENT_CHANGES' });
          await setTimeout(Math.random() * Math.min(2 ** lost, longestPauseMs));
        } else if (!(error instanceof EventStoreUnavailable || error instanceof EventStoreTimeout) || ++failures === attempts) throw error;
      }
    }
  }
}

/** Whether the event is there already; who waits for it then hears where. */
function answered(tail: StreamTail, { id }: NewEvent, done: Waiting['done']): boolean {
  const position = tail.positions.get(id);
  if (position) done(position);
  return position !== undefined;
}

const succeeds = (work: Promise<unknown>): Promise<boolean> => work.then(() => true, () => false);

function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  while (count < queue.length && count < mostEvents && !queue[count]!.after && (count === 0 || bytes + queue[count]!.bytes <= mostBytes)) bytes += queue[count++]!.bytes;
  return queue.splice(0, count);
}
