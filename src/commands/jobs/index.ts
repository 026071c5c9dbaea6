import { z } from 'zod';
import { defineJob, type AnyJob } from '../../platform/jobs/define.js';

/** What the platform's own jobs look after. */
export interface Housekeeping {
  /** Removes the tables that rebuilds left behind whose process died. */
  clearLeftovers(): Promise<void>;
  /** Removes the tables that rebuilds have replaced, once their time is over. */
  removeFormers(): Promise<void>;
  /** Forgets the operations that ended long ago. */
  removeEndedOperations(): Promise<void>;
  /** Compares every view with what the log gives; what is found stands in the operations. */
  compareAll(actor: string, signal: AbortSignal): Promise<void>;
  /** Forgets the refused rows whose time is up. */
  clearQuarantine(): Promise<void>;
  /** Removes the files of saves of training sets that died a day ago or earlier, where no saved one needs them. */
  clearTrainingSetFiles(): Promise<void>;
}

/** The jobs, one each; they look after tables, which are no facts and need no command. */
export const platformJobs = ({ clearLeftovers, removeFormers, removeEndedOperations, compareAll, clearQuarantine, clearTrainingSetFiles }: Housekeeping): readonly AnyJob[] => [
  defineJob({
    name: 'clear-leftover-tables',
    summary: 'Removes the tables of rebuilds that died',
    input: z.strictObject({}),
    retry: { attempts: 3, backoff: { type: 'exponential', delayMs: 60_000 } },
    timeoutMs: 300_000,
    concurrency: 1,
    schedule: { cron: '17 * * * *', timeZone: 'UTC', input: {} },
    run: clearLeftovers,
  }),
  defineJob({
    name: 'remove-former-tables',
    summary: 'Removes the tables that rebuilds have replaced, once nobody will roll back any more',
    input: z.strictObject({}),
    retry: { attempts: 3, backoff: { type: 'exponential', delayMs: 60_000 } },
    timeoutMs: 300_000,
    concurrency: 1,
    schedule: { cron: '47 * * * *', timeZone: 'UTC', input: {} },
    run: removeFormers,
  }),
  defineJob({
    name: 'remove-ended-operations',
    summary: 'Forgets the rebuilds, comparisons and rollbacks that ended long ago',
    input: z.strictObject({}),
    retry: { attempts: 3, backoff: { type: 'exponential', delayMs: 60_000 } },
    timeoutMs: 300_000,
    concurrency: 1,
    schedule: { cron: '13 4 * * *', timeZone: 'UTC', input: {} },
    run: removeEndedOperations,
  }),
  defineJob({
    name: 'compare-projections',
    summary: 'Compares every read model with what the log gives: live must equal replay',
    input: z.strictObject({}),
    // It comes again tomorrow; each comparison says for itself how it ended.
    retry: { attempts: 1, backoff: { type: 'fixed', delayMs: 0 } },
    timeoutMs: 20 * 3_600_000,
    concurrency: 1,
    schedule: { cron: '23 3 * * *', timeZone: 'UTC', input: {} },
    run: (_, { signal }) => compareAll('job:compare-projections', signal),
  }),
  defineJob({
    name: 'clear-expired-quarantine',
    summary: 'Forgets the refused rows that were kept long enough',
    input: z.strictObject({}),
    retry: { attempts: 3, backoff: { type: 'exponential', delayMs: 60_000 } },
    timeoutMs: 300_000,
    concurrency: 1,
    schedule: { cron: '43 * * * *', timeZone: 'UTC', input: {} },
    run: clearQuarantine,
  }),
  defineJob({
    name: 'clear-training-set-files',
    summary: 'Removes the files that saves of training sets left behind which died',
    input: z.strictObject({}),
    retry: { attempts: 3, backoff: { type: 'exponential', delayMs: 60_000 } },
    timeoutMs: 600_000,
    concurrency: 1,
    schedule: { cron: '31 * * * *', timeZone: 'UTC', input: {} },
    run: clearTrainingSetFiles,
  }),
];
