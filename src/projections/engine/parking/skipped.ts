import { projectionEvents } from '../../../domain/projections/events.js';
import { projectionStream, skippedEvents, type SkippedEvents } from '../../../domain/projections/state.js';
import { decodeStored } from '../../../platform/eventstore/decode-stored.js';
import type { EventStore } from '../../../platform/eventstore/port.js';
import type { View } from '../../kit/view.js';

/** The events that a view goes on without when it cannot take them, as the log says: a rebuild comes by them again. */
export async function readSkipped(eventStore: EventStore, { name }: Pick<View, 'name'>): Promise<SkippedEvents> {
  let skipped = skippedEvents.initialState;
  for await (const event of eventStore.readStream(projectionStream(name))) {
    const definition = projectionEvents.find(({ type }) => type === event.type);
    if (definition) skipped = skippedEvents.evolve(skipped, decodeStored(definition, event));
  }
  return skipped;
}
