import { comparePositions, type Position, type StoredEvent } from '../../../platform/eventstore/port.js';
import type { View } from '../../kit/view.js';

/** An event that waits, and the key that it waits under. */
export interface HeldEvent {
  readonly event: Pick<StoredEvent, 'id' | 'type' | 'stream' | 'revision' | 'position'>;
  readonly key: string;
}

/** The keys that wait, each since the first event that does. What came before that one does not wait for it, also where another slice has not come as far. */
export class ParkedKeys {
  private readonly since = new Map<string, Position>();

  get size(): number {
    return this.since.size;
  }

  add(key: string, since: Position): void {
    if (!this.since.has(key)) this.since.set(key, since);
  }

  addAll(held: Iterable<HeldEvent>): void {
    for (const { key, event } of held) this.add(key, event.position);
  }

  /** Whether what comes there for the key has to wait. */
  holds(key: string, position: Position): boolean {
    const since = this.since.get(key);
    return since !== undefined && comparePositions(since, position) < 0;
  }
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

/** Events parted into those that may go on and those that wait, and those of other slices that keys wait for. */
export interface Division {
  readonly free: readonly StoredEvent[];
  readonly held: readonly HeldEvent[];
  readonly marked: readonly HeldEvent[];
}

/**
 * Parts the events that may go on from those that must wait. An event that cannot be decoded may have been about any
 * key, so the later events of its stream wait too, and with each of them whatever comes later for its key. Where such
 * an event is `foreign`, another slice's, nothing but its stream is marked.
 */
export function divide(view: View, parked: ParkedKeys, events: readonly StoredEvent[], foreign?: ReadonlySet<StoredEvent>): Division {
  if (parked.size === 0 && !foreign?.size) return { free: events, held: [], marked: [] };
  const free: StoredEvent[] = [];
  const held: HeldEvent[] = [];
  const marked: HeldEvent[] = [];
  const later = new Set<string>();
  for (const event of events) {
    const stream = streamKey(event);
    const waits = (key: string) => later.has(key) || parked.holds(key, event.position);
    if (foreign?.has(event)) {
      if (!waits(stream)) marked.push({ event, key: stream });
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
