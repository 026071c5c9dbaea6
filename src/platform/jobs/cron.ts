import { getNextMillis } from 'bullmq';

/** When a schedule comes next after a moment; undefined when it never does. Both in milliseconds since the epoch. */
export const nextTick = (schedule: { readonly cron: string; readonly timeZone: string }, afterMs: number): number | undefined =>
  getNextMillis(afterMs, { pattern: schedule.cron, tz: schedule.timeZone });
