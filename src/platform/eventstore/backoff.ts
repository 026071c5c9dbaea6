import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait before trying again: doubling from 50 ms, with full jitter so that callers do not return together. */
export function backoffMs(attempt: number, longestMs: number): number {
  return Math.ceil(Math.random() * Math.min(longestMs, 50 * 2 ** Math.min(attempt, 20)));
}

/** Sleeps so long, or until the signal aborts; says whether it slept its time out. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
