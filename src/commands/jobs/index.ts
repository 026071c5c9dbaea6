import { z } from 'zod';
import { defineJob, type AnyJob } from '../../platform/jobs/define.js';

/** What the platform's own jobs look after. */
export interface Housekeeping {
  /** Removes the tables that rebuilds left behind whose process died. */
  clearLeftovers(): Promise<void>;
}

/** The jobs, one each; they look after tables, which are no facts and need no command. */
export const platformJobs = ({ clearLeftovers }: Housekeeping): readonly AnyJob[] => [
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
];
