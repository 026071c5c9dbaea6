import { defineDecider } from '../kit/index.js';
import { metricsEvents } from './events.js';

/** Each moment of the schedule has a stream of its own, so however many processes measure it, one of them is heard. */
export const metricsStream = (tick: string): string => `metrics-${tick.replace(/[-:.]/g, '')}`;

export const metricsCheckpoint = defineDecider({
  category: 'metrics',
  events: metricsEvents,
  initialState: { recorded: false },
  on: { MetricsCheckpointRecorded: () => ({ recorded: true }) },
});
