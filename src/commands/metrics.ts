import { recordMetricsCheckpoint } from '../domain/metrics/decisions.js';
import { metricsEvents } from '../domain/metrics/events.js';
import { metricsCheckpoint, metricsStream } from '../domain/metrics/state.js';
import { defineInnerCommand } from './kit/command.js';

/** Notes what was measured at a moment of the schedule. */
export const recordMetricsCheckpointCommand = defineInnerCommand({
  name: 'RecordMetricsCheckpoint',
  permission: 'platform.measure',
  decider: metricsCheckpoint,
  stream: ({ tick }: { tick: string }) => metricsStream(tick),
  input: metricsEvents[0].data,
  decide: recordMetricsCheckpoint,
  creates: true,
});
