import { z } from 'zod';
import type { JobsStatus, ViewStatus } from '../../api/core.js';
import type { MetricsEvent } from '../../domain/metrics/events.js';
import { defineJob } from '../../platform/jobs/define.js';
import { recordMetricsCheckpointCommand } from '../metrics.js';

/** What a checkpoint of the metrics is made of. */
export interface Measured {
  /** As it crosses the wires. */
  readonly endOfLog: string;
  readonly views: readonly ViewStatus[];
  readonly jobs: JobsStatus['jobs'];
}

/** Puts on record how the read models and the queues are, so that it can be told later what the lag was at 14:03. */
export const recordMetrics = ({ cron, measure }: { cron: string; measure: () => Promise<Measured> }) =>
  defineJob({
    name: 'record-metrics-checkpoint',
    summary: 'Puts on record how far behind the read models are, and what waits in the queues',
    input: z.strictObject({}),
    retry: { attempts: 3, backoff: { type: 'exponential', delayMs: 5_000 } },
    timeoutMs: 60_000,
    concurrency: 1,
    schedule: { cron, timeZone: 'UTC', input: {} },
    run: async (_, { due, issue }) => void (await issue(recordMetricsCheckpointCommand, checkpointOf(due, await measure()))),
  });

function checkpointOf(due: Date, { endOfLog, views, jobs }: Measured): MetricsEvent['data'] {
  return {
    tick: due.toISOString(),
    endOfLog,
    views: views.map(({ name: view, version, state, position, lagMs, lagPositions, parkedKeys, eventsPerSecond, eventsHandled, differingRows = null, slices }) => ({
      view, version, state, position, lagMs, lagPositions, parkedKeys, eventsPerSecond, eventsHandled, differingRows,
      slices: slices.map(({ slice, position: at, lagMs: behind, owner = null }) => ({ slice, position: at, lagMs: behind, owner })),
    })),
    queues: jobs.map(({ name: job, waiting, active, delayed, completed, failed }) => ({ job, waiting, active, delayed, completed, failed })),
  };
}
