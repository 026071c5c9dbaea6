import { z } from 'zod';
import { metricsEvents, queueMetrics, viewMetrics } from '../../domain/metrics/events.js';
import { defineView } from '../engine/define.js';

/** What the platform measured of itself at one moment. */
export const metricsCheckpointRow = z
  .object({
    tick: z.iso.datetime().describe('The moment of the schedule that it is for.'),
    recordedAt: z.iso.datetime(),
    endOfLog: z.string(),
    views: z.array(viewMetrics),
    queues: z.array(queueMetrics),
  })
  .meta({ id: 'MetricsCheckpoint' });

/** One row a moment of the schedule. */
export const metricsCheckpointsView = defineView({
  name: 'metrics-checkpoints',
  version: 1,
  table: 'metrics_checkpoints',
  row: metricsCheckpointRow,
  key: ['tick'],
  events: metricsEvents,
  keyOf: ({ data }) => ({ tick: data.tick }),
  on: { MetricsCheckpointRecorded: (_, data, { recordedAt }) => ({ ...data, recordedAt }) },
});
