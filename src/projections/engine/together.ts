import type { ClientBase, PoolClient } from 'pg';
import { Refusal } from '../../domain/kit/index.js';
import { comparePositions, type Position, type StoredEvent } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import { lockCheckpoint, moveCheckpoints, type ViewCheckpoint } from './checkpoints.js';
import { CheckpointMoved } from './failures.js';
import { keyOf, knownKey } from './parking/keys.js';
import { Shelf } from './parking/shelf.js';
import { takeOrPark } from './parking/take.js';
import { sliceOfKey } from './slices.js';
import type { World } from './world.js';

/** Slices further apart than this come together by themselves first: everybody who projects the view waits meanwhile. */
const mostEvents = 10_000;

/** True when the event is in the rows of a view whose slices stand there. */
export function isIn(view: View, { slices }: ViewCheckpoint, event: StoredEvent): boolean {
  const slice = slices.length === 1 ? 0 : sliceOfKey(keyOf(view, event), slices.length);
  return comparePositions(event.position, slices[slice]!.position) <= 0;
}

/** True also for an event whose key cannot be told: every slice that has come to it holds the later events of its stream, though only one parks it. */
export const isInOrHolds = (view: View, checkpoint: ViewCheckpoint, event: StoredEvent): boolean => knownKey(view, event) === undefined || isIn(view, checkpoint, event);

/**
 * Holds all slices of a view at one position until this transaction ends; those behind are brought to the furthest.
 * Refused when they are too far apart, and undefined when the view is not there in this version.
 */
export async function holdTogether(client: PoolClient, view: View, { eventStore }: World): Promise<ViewCheckpoint | undefined> {
  const checkpoint = await lockCheckpoint(client, view.name);
  if (checkpoint?.version !== view.version) return undefined;
  const { position, furthest, slices } = checkpoint;
  if (comparePositions(position, furthest) === 0) return checkpoint;

  const missing: StoredEvent[] = [];
  const types = view.eventTypes === 'all' ? undefined : new Set(view.eventTypes);
  const filter = view.eventTypes === 'all' ? undefined : { eventTypePrefixes: view.eventTypes };
  let read = 0;
  for await (const event of eventStore.readLog({ from: position, filter })) {
    if (comparePositions(event.position, furthest) > 0) break;
    if (++read > mostEvents) throw tooFarApart(view);
    if ((types?.has(event.type) ?? true) && !isIn(view, checkpoint, event)) missing.push(event);
  }
  await moveAll(client, view, checkpoint, furthest, missing.length);
  const shelf = new Shelf(view);
  if (missing.length > 0) await takeOrPark({ view, shelf, tx: { client, table: (name) => name }, parked: await shelf.keys(client) }, missing);
  return { ...checkpoint, position: furthest, slices: slices.map((slice) => ({ ...slice, position: furthest })) };
}

async function moveAll(client: ClientBase, view: View, { slices, parking }: ViewCheckpoint, to: Position, events: number): Promise<void> {
  const behind = slices.filter(({ position }) => comparePositions(position, to) < 0);
  const moves = behind.map(({ slice, position, eventsPerSecond }, at) => ({ slice: { view, index: slice, of: slices.length }, from: position, to, parking, eventsPerSecond, events: at === 0 ? events : 0 }));
  if (!(await moveCheckpoints(client, moves))) throw new CheckpointMoved();
}

const tooFarApart = ({ name }: View) =>
  new Refusal('UNAVAILABLE', `The slices of view ${name} are more than ${mostEvents} events apart; try again when the slowest has caught up`, { reason: 'SLICES_APART' });
