import { defineDecider } from '../kit/index.js';
import { projectionEvents } from './events.js';

/** The ids of the events that a view leaves out when it cannot take them. */
export type SkippedEvents = ReadonlySet<string>;

/** The stream of what was decided about a view's parked events. */
export const projectionStream = (view: string): string => `projection-${view}`;

export const skippedEvents = defineDecider({
  category: 'projection',
  events: projectionEvents,
  initialState: new Set() as SkippedEvents,
  on: {
    ParkedEventSkipped: (skipped, { event }): SkippedEvents => new Set(skipped).add(event.id),
  },
});
