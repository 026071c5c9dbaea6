import { z } from 'zod';
import { jobEvents, jobInput } from '../../domain/jobs/events.js';
import { defineView } from '../engine/define.js';

/** One row a job that was asked for: the queues are made again from those that wait. */
export const jobsView = defineView({
  name: 'jobs',
  version: 2,
  table: 'requested_jobs',
  row: z.object({
    id: z.string(),
    job: z.string(),
    input: jobInput,
    notBefore: z.iso.datetime().nullable(),
    status: z.enum(['waiting', 'succeeded', 'failed']),
    reason: z.string().nullable(),
    requestedAt: z.iso.datetime(),
    requestedBy: z.string(),
    /** Since when the status holds. */
    since: z.iso.datetime(),
    /** The trace of whoever asked for it last. */
    traceparent: z.string().nullable(),
  }),
  key: ['id'],
  events: jobEvents,
  keyOf: ({ data }) => ({ id: data.id }),
  on: {
    JobRequested: (_, data, { recordedAt, actor, traceparent = null }) => ({ ...data, status: 'waiting' as const, reason: null, requestedAt: recordedAt, requestedBy: actor, since: recordedAt, traceparent }),
    JobRetried: (row, _, { recordedAt, traceparent = null }) => row && { ...row, status: 'waiting' as const, reason: null, since: recordedAt, traceparent },
    JobSucceeded: (row, _, { recordedAt }) => row && { ...row, status: 'succeeded' as const, reason: null, since: recordedAt },
    JobFailed: (row, { reason }, { recordedAt }) => row && { ...row, status: 'failed' as const, reason, since: recordedAt },
  },
});
