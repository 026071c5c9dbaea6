import type { StoredEvent } from '../../../platform/eventstore/port.js';
import type { SkippedEvents } from '../../../domain/projections/state.js';
import type { View, ViewTransaction } from '../../kit/view.js';
import { isOfOneEvent, ViewFailed } from '../failures.js';
import type { Shelf } from './shelf.js';
import { divide, keyOf, type ParkedKeys } from './keys.js';

/** A view with this many parked keys is broken itself: it stops, rather than park all of its events one by one. */
export const mostParkedKeys = 10_000;

/** Where a batch goes: the view's tables, and the shelf for what they cannot take. */
export interface Target {
  readonly view: View;
  readonly tx: ViewTransaction;
  readonly shelf: Shelf;
  /** The keys on the shelf; new ones are added. */
  readonly parked: ParkedKeys;
  /** Events that somebody decided to go on without. */
  readonly skipped?: SkippedEvents;
}

/** Projects events inside a transaction; those that fail are parked in it, and the others go on. */
export async function takeOrPark(target: Target, events: readonly StoredEvent[]): Promise<void> {
  const { view, tx, shelf, parked } = target;
  const { free, held } = divide(view, parked, events);
  const failure = free.length > 0 ? await failureOf(target, free) : undefined;
  if (!failure) {
    await shelf.hold(tx.client, held);
    parked.addAll(held);
    return;
  }
  if (events.length > 1) {
    const middle = Math.floor(events.length / 2);
    await takeOrPark(target, events.slice(0, middle));
    return takeOrPark(target, events.slice(middle));
  }
  if (!target.skipped?.has(events[0]!.id)) await parkOne(target, events[0]!, failure);
}

/** Parks the event under its key, unless the view has too many keys parked. */
export async function parkOne({ view, tx, shelf, parked }: Target, event: StoredEvent, failure: ViewFailed, attempts = 1): Promise<void> {
  if (parked.size >= mostParkedKeys) throw failure;
  const key = keyOf(view, event);
  await shelf.park(tx.client, { event, key }, messageOf(failure.cause), attempts);
  parked.add(key, event.position);
}

/** What keeps the view from taking the events; their rows are as before then. Throws what is not the events' fault. */
export async function failureOf({ view, tx }: Pick<Target, 'view' | 'tx'>, events: readonly StoredEvent[]): Promise<ViewFailed | undefined> {
  await tx.client.query('savepoint before_events');
  try {
    await view.project(events, tx);
  } catch (cause) {
    if (!isOfOneEvent(cause)) throw cause;
    await tx.client.query('rollback to savepoint before_events');
    return new ViewFailed(view.name, events, cause);
  }
  await tx.client.query('release savepoint before_events');
  return undefined;
}

/** The sentence of whatever was thrown. */
export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
