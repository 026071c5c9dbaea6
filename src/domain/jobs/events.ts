import { z } from 'zod';
import { defineEvent, type EventOf } from '../kit/index.js';

/** Which job: a name that its asker chose, or a UUID. */
export const jobId = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'takes 1 to 128 letters, digits, _ and -');

/** What a job is told. */
export const jobInput = z.record(z.string(), z.json());

export const jobEvents = [
  defineEvent('JobRequested', z.object({ id: jobId, job: z.string(), input: jobInput, notBefore: z.iso.datetime().nullable() })),
  defineEvent('JobRetried', z.object({ id: jobId })),
  defineEvent('JobSucceeded', z.object({ id: jobId })),
  /** It will not be tried again by itself. */
  defineEvent('JobFailed', z.object({ id: jobId, reason: z.string() })),
] as const;
export type JobEvent = EventOf<(typeof jobEvents)[number]>;
