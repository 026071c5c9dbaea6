import { comparePositions, type EventStore, type Position } from '../../platform/eventstore/port.js';
import type { Slice } from './slices.js';

/** Slices whose checkpoints are no more events apart follow the log together: about what one batch holds. */
const samePlace_events = 2000;

/** A slice, and where it is to follow the log from. */
export interface Placed {
  readonly slice: Slice;
  readonly position: Position;
}

/** Groups of slices at about the same place, the furthest first. Positions count bytes or events, as the store likes, so the events between are counted. */
export async function placesOf(slices: readonly Placed[], eventStore: Pick<EventStore, 'readLog'>, signal?: AbortSignal): Promise<Slice[][]> {
  const groups: { from: Position; slices: Slice[] }[] = [];
  for (const { slice, position } of [...slices].sort((a, b) => comparePositions(b.position, a.position))) {
    const last = groups.at(-1);
    if (last && (await areNear(position, last.from, eventStore, signal))) last.slices.push(slice);
    else groups.push({ from: position, slices: [slice] });
  }
  return groups.map((group) => group.slices);
}

/** Where the log cannot be read for the moment, places that are not the same are taken to be apart: each then waits for it alone. */
async function areNear(from: Position, to: Position, eventStore: Pick<EventStore, 'readLog'>, signal: AbortSignal | undefined): Promise<boolean> {
  if (comparePositions(from, to) === 0) return true;
  let events = 0;
  try {
    for await (const { position } of eventStore.readLog({ from, limit: samePlace_events + 1, signal })) {
      if (comparePositions(position, to) >= 0) return true;
      if (++events > samePlace_events) return false;
    }
  } catch {
    return false;
  }
  return true;
}
