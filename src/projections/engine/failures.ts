import pg from 'pg';
import { formatPosition, type StoredEvent } from '../../platform/eventstore/port.js';

/** A slice of a view could not take a batch, for a reason of its own: the others need not stop. */
export class ViewFailed extends Error {
  constructor(
    readonly view: string,
    readonly events: readonly StoredEvent[],
    override readonly cause: unknown,
    readonly slice = 0,
  ) {
    super(`View ${view} cannot take ${describe(events)}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** Somebody else has moved a view: what was worked out for it is thrown away. */
export class CheckpointMoved extends Error {
  constructor() {
    super('A checkpoint stands elsewhere than expected');
  }
}

/** Somebody holds locks that views of a lane would have to wait for: the others need not. */
export class ViewsHeldUp extends Error {
  constructor(readonly views: readonly string[]) {
    super(`Somebody holds locks that are needed for ${views.join(', ')}`);
  }
}

/** True for a lock that was waited for as long as it may be. */
export const isLockTimeout = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '55P03';

/** The connection broke, and nobody knows whether the transaction was committed. */
export class ConnectionBroken extends Error {
  constructor(override readonly cause: unknown) {
    super(`The connection to Postgres broke: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** Postgres's fault or a clash with somebody else, not the view's: connection, rollback by deadlock, resources, operator, system. */
export function isPassing(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(08|40|53|55|57|58)/.test(error.code ?? '');
}

const triesOfPassing = 5;

/** Does it again where somebody else came in the way, at once: a transaction that was the victim of a deadlock has let the other pass. */
export async function insist<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === triesOfPassing || !isPassing(error)) throw error;
    }
  }
}

/** True for what an event may be blamed for. What Postgres says of the tables themselves (class 42) would be so for every other event too. */
export function isOfOneEvent(error: unknown): boolean {
  return !isPassing(error) && !(error instanceof ConnectionBroken) && !(error instanceof pg.DatabaseError && error.code?.startsWith('42'));
}

function describe(events: readonly StoredEvent[]): string {
  const [first] = events;
  if (!first) return 'a batch';
  if (events.length > 1) return `${events.length} events from ${formatPosition(first.position)}`;
  return `${first.type} ${first.stream}@${first.revision} at ${formatPosition(first.position)}`;
}
