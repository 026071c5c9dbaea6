import type { Decide } from '../kit/index.js';
import type { MetricsEvent } from './events.js';

type Checkpoint = MetricsEvent['data'];

/** The first one to measure a moment of the schedule is heard; what others measured then is the same wish. */
export const recordMetricsCheckpoint: Decide<Checkpoint, { recorded: boolean }, MetricsEvent> = (input, state) => (state.recorded ? [] : [{ type: 'MetricsCheckpointRecorded', data: input }]);
