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
export const keyOf = (view: View, event: StoredEvent): string => knownKey(view, event) ?? streamKey(event);

/** What an event concerns in a view; undefined when it cannot be decoded. */
export function knownKey(view: View, event: StoredEvent): string | undefined {
  if (!view.keyOf) return streamKey(event);
  try {
    return withoutNul(view.keyOf(event));
  } catch {
    // Whoever projects the event meets the same failure, and parks the event with it.
    return undefined;
  }
}

/** Events parted into those that may go on and those that wait, and the keys that wait for an event of another slice. */
export interface Division {
  readonly free: readonly StoredEvent[];
  readonly held: readonly HeldEvent[];
  readonly marked: readonly string[];
}

/**
 * Parts the events that may go on from those that must wait. An event that cannot be decoded may have been about any
 * key, so the later events of its stream wait too, and with each of them whatever comes later for its key. Where such
 * an event is `foreign`, another slice's, nothing but its stream is marked.
 */
export function divide(view: View, parked: ReadonlySet<string>, events: readonly StoredEvent[], foreign?: ReadonlySet<StoredEvent>): Division {
  if (parked.size === 0 && !foreign?.size) return { free: events, held: [], marked: [] };
  const free: StoredEvent[] = [];
  const held: HeldEvent[] = [];
  const marked: string[] = [];
  const later = new Set<string>();
  const waits = (key: string) => parked.has(key) || later.has(key);
  for (const event of events) {
    const stream = streamKey(event);
    if (foreign?.has(event)) {
      if (!waits(stream)) marked.push(stream);
      later.add(stream);
      continue;
    }
    const key = keyOf(view, event);
    if (waits(key) || waits(stream)) {
      held.push({ event, key });
      later.add(key);
    } else free.push(event);
  }
  return { free, held, marked };
}

/** Postgres has no place for NUL in a text; what could not be written for that reason must still be parked. */
export const withoutNul = (text: string): string => text.replaceAll('\0', '\\0');
