import { z } from 'zod';

/** How a job is declared that looks every minute whether there is something to do: what one run leaves, the next one finds. */
export const everyMinute = {
  input: z.strictObject({}),
  retry: { attempts: 1, backoff: { type: 'fixed', delayMs: 0 } },
  timeoutMs: 300_000,
  concurrency: 1,
  schedule: { cron: '* * * * *', timeZone: 'UTC', input: {} },
} as const;
