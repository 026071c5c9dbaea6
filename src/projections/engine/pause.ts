import { setTimeout as delay } from 'node:timers/promises';

/** Waits, or less when the signal aborts. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const ended = new AbortController();
  const wake = () => ended.abort();
  signal.addEventListener('abort', wake, { once: true });
  try {
    await delay(milliseconds, undefined, { signal: ended.signal });
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', wake);
  }
}

/** Waits for the work, or less when the signal aborts: whatever becomes of it then. */
export async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return void work.catch(() => undefined);
  const aborted = Promise.withResolvers<void>();
  const wake = () => aborted.resolve();
  signal.addEventListener('abort', wake, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', wake);
  }
}

/** The wait before the nth try in a row: from 0.1 s, doubling, to at most 15 s. */
export function backoff_ms(attempt: number): number {
  return Math.min(15_000, 100 * 2 ** Math.min(attempt, 10));
}
