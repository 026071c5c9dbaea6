import type { PoolClient } from 'pg';
import { comparePositions, type Position, type StoredEvent } from '../../platform/eventstore/port.js';
import type { ViewCheckpoint } from './checkpoints.js';
import { divide, type Division, type ParkedKeys } from './parking/keys.js';
import { Shelf } from './parking/shelf.js';
import type { Slice, Sorting } from './slices.js';

/** One slice on its way: what it holds, and what its checkpoint says, which may be behind when nothing concerned it. */
export interface Member {
  readonly slice: Slice;
  readonly types: ReadonlySet<string> | undefined;
  /** Absent where the slice is the whole view. */
  readonly sorting?: Sorting;
  held: Position;
  stored: Position;
  readonly parking: number;
  readonly shelf: Shelf;
  readonly parked: ParkedKeys;
}

/** Takes a slice up where it is committed to stand. */
export async function memberAt(slice: Slice, { slices, parking }: ViewCheckpoint, sorting: Sorting | undefined, client: PoolClient): Promise<Member> {
  const { view, index, of } = slice;
  const { position } = slices[index]!;
  const types = view.eventTypes === 'all' ? undefined : new Set(view.eventTypes);
  const shelf = new Shelf(view);
  return { slice, types, held: position, stored: position, parking, shelf, parked: await shelf.keys(client), ...(of > 1 && { sorting }) };
}

/** What a batch holds for a member, without what it holds already; undefined when nothing concerns it. */
export function shareOf({ slice, types, sorting, held, parked }: Member, events: readonly StoredEvent[]): Division | undefined {
  const [first] = events;
  if (!first) return undefined;
  const allNew = comparePositions(first.position, held) > 0;
  const wanted: StoredEvent[] = [];
  let foreign: Set<StoredEvent> | undefined;
  for (const event of events) {
    if (!(types?.has(event.type) ?? true) || !(allNew || comparePositions(event.position, held) > 0)) continue;
    const concerns = sorting?.concerns(slice.index, event) ?? 'own';
    if (concerns === 'other') continue;
    if (concerns === 'unknown') (foreign ??= new Set()).add(event);
    wanted.push(event);
  }
  return wanted.length > 0 ? divide(slice.view, parked, wanted, foreign) : undefined;
}
