import type { EventStoreDBClient } from '@eventstore/db-client';
import { AppendCalls } from './append-calls.js';
import { appendMessage, type AppendMessage } from './append-message.js';
import { backoffMs, pause } from './backoff.js';
import { EventStoreTimeout, EventStoreUnavailable, WrongExpectedRevision } from './errors.js';
import { failureOf, isPassing } from './failures.js';
import type { AppendOptions, AppendResult, ExpectedRevision, NewEvent, StoredEvent } from './port.js';
import { readStream } from './read-stream.js';
import { defaultDeadlineMs, type Surroundings } from './reads.js';

const longestBackoffMs = 1_000;

/** All appends of one connection: they share a call, survive its failures, and each gets its own answer. */
export class Appends {
  private readonly calls: AppendCalls;

  constructor(private readonly surroundings: Surroundings) {
    this.calls = new AppendCalls(surroundings);
  }

  /**
   * Appends, and tries again for as long as that is safe: always when the request cannot have left, and after an
   * unknown outcome only with an exact expected revision, where the server recognises the same ids.
   */
  async append(stream: string, events: readonly NewEvent[], { expected, deadlineMs = defaultDeadlineMs }: AppendOptions): Promise<AppendResult> {
    const message = appendMessage(stream, expected, events);
    const { connection, closing, log } = this.surroundings;
    const ends = performance.now() + deadlineMs;
    let maybeWritten = false;
    for (let attempt = 0; ; attempt++) {
      const { client } = connection;
      try {
        return await this.attempt(client, message, ends, attempt > 0);
      } catch (error) {
        const failure = failureOf(error, { what: `Appending to ${stream}`, stream, expected });
        if (maybeWritten && failure instanceof WrongExpectedRevision) return this.writtenBefore(message, failure, ends);
        if (!isPassing(failure)) throw failure;
        connection.renew(client, failure);
        maybeWritten ||= failure.outcomeUnknown;
        const waitMs = backoffMs(attempt, longestBackoffMs);
        const maySendAgain = !maybeWritten || isExact(expected);
        if (!maySendAgain || performance.now() + waitMs >= ends) throw withOutcome(failure, maybeWritten);
        log('An append broke off and is sent again', { stream, error: failure.message });
        if (!(await pause(waitMs, closing))) throw withOutcome(failure, maybeWritten);
      }
    }
  }

  close(): void {
    this.calls.close();
  }

  /** What is sent again goes alone: an append that breaks every call it is sent on takes no other with it twice. */
  private async attempt(client: EventStoreDBClient, message: AppendMessage, ends: number, again: boolean): Promise<AppendResult> {
    const what = `Appending to ${message.stream}`;
    const call = again ? await this.calls.alone(client, msUntil(ends), what) : await this.calls.toShare(client, msUntil(ends), what);
    const answer = call.append(message, msUntil(ends));
    if (again) call.retire();
    return answer;
  }

  /**
   * A wrong revision after an attempt of unknown outcome: either that attempt was written and the server no longer
   * recognises it (as in a stream that was deleted and begun anew), or somebody else was faster. The ids tell.
   */
  private async writtenBefore({ stream, expected, events }: AppendMessage, wrong: WrongExpectedRevision, ends: number): Promise<AppendResult> {
    const from = typeof expected === 'bigint' ? expected + 1n : 'start';
    const found: StoredEvent[] = [];
    try {
      for await (const event of readStream(stream, { from, limit: events.length, deadlineMs: msUntil(ends) }, this.surroundings)) found.push(event);
    } catch (error) {
      throw withOutcome(failureOf(error, { what: `Appending to ${stream}`, stream }), true);
    }
    const last = found.at(-1);
    const ours = found.length === events.length && found.every((event, index) => event.id === events[index]!.id.toLowerCase());
    if (!last || !ours) throw wrong;
    return { revision: last.revision, position: last.position };
  }
}

function isExact(expected: ExpectedRevision): boolean {
  return expected === 'none' || typeof expected === 'bigint';
}

/** One attempt of unknown outcome makes the whole append one, however the later ones failed. */
function withOutcome(failure: Error, outcomeUnknown: boolean): Error {
  if (failure instanceof EventStoreTimeout) return new EventStoreTimeout(failure.message, { cause: failure.cause, outcomeUnknown });
  if (failure instanceof EventStoreUnavailable) return new EventStoreUnavailable(failure.message, { cause: failure.cause, outcomeUnknown });
  return failure;
}

function msUntil(time: number): number {
  return Math.max(1, time - performance.now());
}
