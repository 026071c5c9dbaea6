import type { EventStore } from '../../../platform/eventstore/port.js';
import { Replay } from './replay.js';

/** Bytes of decoded history kept where nobody says how many, so that a second question about the same groups reads only what is new. */
const defaultCacheBytes = 512 * 1024 * 1024;

const replays = new WeakMap<EventStore, Replay>();

/** Says how many bytes of a log's history the shared replay keeps; before anything is read by it. */
export function shareReplay(eventStore: EventStore, options: { readonly cacheBytes: number }): void {
  replays.set(eventStore, new Replay(eventStore, options));
}

/** The replay of a log, made once, so that everything that reads its history shares one cache. */
export function sharedReplay(eventStore: EventStore): Replay {
  if (!replays.has(eventStore)) shareReplay(eventStore, { cacheBytes: defaultCacheBytes });
  return replays.get(eventStore)!;
}
