import type { JobsOptions } from 'bullmq';

/** The trace of whoever asked for a job, and the span in which it was put in its queue. */
export interface JobTrace {
  readonly traceparent?: string;
  readonly enqueued?: string;
}

/** The part of a job's options that carries its trace through the queue. */
export const writeTrace = (trace: JobTrace): Pick<JobsOptions, 'telemetry'> => (trace.traceparent === undefined ? {} : { telemetry: { metadata: JSON.stringify(trace) } });

/** What writeTrace wrote. */
export const readTrace = ({ telemetry }: Pick<JobsOptions, 'telemetry'>): JobTrace => (telemetry?.metadata === undefined ? {} : (JSON.parse(telemetry.metadata) as JobTrace));
