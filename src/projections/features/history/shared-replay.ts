import type { EventStore } from '../../../platform/eventstore/port.js';
import { Replay } from './replay.js';

/** Bytes of decoded history kept, so that a second question about the same groups reads only what is new. */
const cacheBytes = 128 * 1024 * 1024;

const replays = new WeakMap<EventStore, Replay>();

/** The replay of a log, made once, so that everything that reads its history shares one cache. */
export function sharedReplay(eventStore: EventStore): Replay {
  let replay = replays.get(eventStore);
  if (!replay) replays.set(eventStore, (replay = new Replay(eventStore, { cacheBytes })));
  return replay;
}
