import type { EventStoreDBClient } from '@eventstore/db-client';
import { backoffMs, pause } from './backoff.js';
import type { Connection } from './client.js';
import { EventStoreTimeout, EventStoreUnavailable, type EventStoreError } from './errors.js';
import { failureOf, isPassing } from './failures.js';
import { EventFlow, Silence, type ClientStream, type Gathered } from './flow.js';
import type { CallOptions, StoredEvent } from './port.js';

/** Where reads get their client, what ends them, and who hears what they survive. */
export interface Surroundings {
  readonly connection: Connection;
  readonly closing: AbortSignal;
  readonly log: (message: string, details: Record<string, unknown>) => void;
}

/** One read, told so that it can be taken up again from where it broke off. */
export interface ReadPlan extends CallOptions {
  /** What is read, in words. */
  readonly what: string;
  readonly stream?: string;
  readonly signal?: AbortSignal;
  /** False to report the first failure instead of trying again. */
  readonly heal?: boolean;
  /** Starts the read after the events that `advance` has seen. */
  open(client: EventStoreDBClient): ClientStream;
  wanted(event: StoredEvent): boolean;
  /** Told of every batch; `done` when the read has all it wants. */
  advance(gathered: Gathered): 'more' | 'done';
  /** The call ended by itself: is there more to ask for? */
  again(): boolean;
}

export const defaultDeadlineMs = 10_000;
const batchEvents = 1024;
const longestBackoffMs = 1_000;

/** Runs a read to its end, over as many calls as it takes. */
export async function* read(plan: ReadPlan, { connection, closing, log }: Surroundings): AsyncGenerator<StoredEvent[]> {
  const signal = plan.signal ? AbortSignal.any([plan.signal, closing]) : closing;
  const deadlineMs = plan.deadlineMs ?? defaultDeadlineMs;
  let patienceEnds = 0;
  let failures = 0;
  let failure: EventStoreError | undefined;
  do {
    const { client } = connection;
    let flow: EventFlow | undefined;
    try {
      plan.signal?.throwIfAborted();
      flow = new EventFlow(plan.open(client), {
        wanted: plan.wanted,
        maxEvents: batchEvents,
        signal,
        onCancelFailure: (error) => log('A read could not be cancelled', { what: plan.what, error }),
      });
      for (;;) {
        if (failures === 0) patienceEnds = performance.now() + deadlineMs;
        const gathered = await flow.next(Math.max(1, patienceEnds - performance.now()));
        requireNotAborted(plan, closing);
        if (!gathered || gathered.position) failures = 0;
        if (!gathered) break;
        const next = plan.advance(gathered);
        if (gathered.events.length > 0) yield gathered.events;
        if (next === 'done') return;
      }
    } catch (error) {
      requireNotAborted(plan, closing);
      // When time runs out on a repetition, what broke the attempt before says more.
      const before = failures > 0 ? failure : undefined;
      failure = error instanceof Silence ? (before ?? silence(plan.what, deadlineMs)) : failureOf(error, plan);
      if (!isPassing(failure)) throw failure;
      connection.renew(client, failure);
      const waitMs = backoffMs(failures++, longestBackoffMs);
      if (plan.heal === false || performance.now() + waitMs >= patienceEnds) throw failure;
      log('A read broke off and is taken up again', { what: plan.what, error: failure.message });
      await pause(waitMs, signal);
    } finally {
      flow?.cancel();
    }
  } while (failures > 0 || plan.again());
}

/** A read that merely ended when its signal aborts would pass for a complete one. */
function requireNotAborted({ what, signal }: ReadPlan, closing: AbortSignal): void {
  if (closing.aborted) throw new EventStoreUnavailable(`${what} ended: the connection to the event store is closed`);
  signal?.throwIfAborted();
}

/** The error of a server that accepted a request and never answered it. */
export function silence(what: string, deadlineMs: number, outcomeUnknown = false): EventStoreTimeout {
  return new EventStoreTimeout(`${what} failed: no word from the event store for ${deadlineMs} ms`, { outcomeUnknown });
}

/** The promise's value, or EventStoreTimeout; a value that comes too late is given to `late`. */
export function inTime<T>(promise: Promise<T>, deadlineMs: number, what: string, late?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      reject(silence(what, deadlineMs));
    }, deadlineMs);
    promise.then(
      (value) => {
        clearTimeout(timer);
        if (over) late?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error as Error);
      },
    );
  });
}
