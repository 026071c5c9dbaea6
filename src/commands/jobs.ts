import { z } from 'zod';
import { recordJobFailure, recordJobSuccess, requestJob, retryJob } from '../domain/jobs/decisions.js';
import { jobId, jobInput } from '../domain/jobs/events.js';
import { job, jobStream } from '../domain/jobs/state.js';
import { defineInnerCommand } from './kit/command.js';

const ofJob = {
  permission: 'jobs.write',
  decider: job,
  stream: (input: { id: string }) => jobStream(input.id),
} as const;

/** Asks for a job of this name; it is put in its queue as soon as the log says so. */
export const requestJobCommand = defineInnerCommand({
  ...ofJob,
  name: 'RequestJob',
  input: z.object({ id: jobId, job: z.string(), input: jobInput, notBefore: z.iso.datetime().nullable().default(null) }),
  decide: requestJob,
  creates: true,
});

/** Has a job tried again that was given up. */
export const retryJobCommand = defineInnerCommand({ ...ofJob, name: 'RetryJob', input: z.object({ id: jobId }), decide: retryJob });

/** Notes that a job has done its work. */
export const recordJobSuccessCommand = defineInnerCommand({ ...ofJob, name: 'RecordJobSuccess', input: z.object({ id: jobId }), decide: recordJobSuccess });

/** Notes that a job was given up, and why. */
export const recordJobFailureCommand = defineInnerCommand({ ...ofJob, name: 'RecordJobFailure', input: z.object({ id: jobId, reason: z.string() }), decide: recordJobFailure });
