import type { StoredEvent } from '../../../platform/eventstore/port.js';
import type { View } from '../../kit/view.js';

/** An event that waits, and the key that it waits under. */
export interface HeldEvent {
  readonly event: Pick<StoredEvent, 'id' | 'type' | 'stream' | 'revision' | 'position'>;
  readonly key: string;
}

/** The key of all events of a stream, for views without keys of their own and for events whose key cannot be known. */
export const streamKey = ({ stream }: Pick<StoredEvent, 'stream'>): string => withoutNul(`stream:${stream}`);

/** What an event concerns in a view; its stream when it cannot be decoded. */
export function keyOf(view: View, event: StoredEvent): string {
  if (!view.keyOf) return streamKey(event);
  try {
    return withoutNul(view.keyOf(event));
  } catch {
    // Whoever projects the event meets the same failure, and parks the event with it.
    return streamKey(event);
  }
}

/**
 * Parts the events that may go on from those that must wait. An event that cannot be decoded may have been about any
 * key, so the later events of its stream wait too, and with each of them whatever comes later for its key.
 */
export function divide(view: View, parked: ReadonlySet<string>, events: readonly StoredEvent[]): { free: readonly StoredEvent[]; held: readonly HeldEvent[] } {
  if (parked.size === 0) return { free: events, held: [] };
  const free: StoredEvent[] = [];
  const held: HeldEvent[] = [];
  const waiting = new Set<string>();
  for (const event of events) {
    const key = keyOf(view, event);
    if (parked.has(key) || waiting.has(key) || parked.has(streamKey(event))) {
      held.push({ event, key });
      waiting.add(key);
    } else free.push(event);
  }
  return { free, held };
}

/** Postgres has no place for NUL in a text; what could not be written for that reason must still be parked. */
export const withoutNul = (text: string): string => text.replaceAll('\0', '\\0');
