import { z } from 'zod';
import { defineEvent, type EventOf } from '../kit/index.js';

/** How a view was at a moment. */
export const viewMetrics = z
  .object({
    view: z.string(),
    version: z.int(),
    state: z.string().describe('live, catching-up, rebuilding or failing.'),
    position: z.string(),
    lagMs: z.int().describe('Age of the oldest event not yet projected, 0 when there was none.'),
    lagPositions: z.string(),
    parkedKeys: z.int(),
    eventsPerSecond: z.number().describe('Over the minute before.'),
    eventsHandled: z.int().describe('Events that it had taken so far.'),
    differingRows: z.int().nullable().describe('Rows that differed from the log when they were last compared; null where they never were.'),
    slices: z.array(z.object({ slice: z.int(), position: z.string(), lagMs: z.int(), owner: z.string().nullable() }).meta({ id: 'SliceMetrics' })),
  })
  .meta({ id: 'ViewMetrics' });

/** How the queue of a job was at a moment. */
export const queueMetrics = z
  .object({ job: z.string(), waiting: z.int(), active: z.int(), delayed: z.int(), completed: z.int().describe('Of those that are kept.'), failed: z.int() })
  .meta({ id: 'QueueMetrics' });

export const metricsEvents = [
  /** What the platform measured of itself at the moment of a schedule. */
  defineEvent(
    'MetricsCheckpointRecorded',
    z.object({ tick: z.iso.datetime(), endOfLog: z.string(), views: z.array(viewMetrics), queues: z.array(queueMetrics) }),
  ),
] as const;
export type MetricsEvent = EventOf<(typeof metricsEvents)[number]>;
