import { setTimeout as delay } from 'node:timers/promises';

/** Something of ours that runs in processes of its own. */
export interface Part {
  /** Resolves with the reason when it ends, asked to or not. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/** After this long a part counts as healthy, and its next restart is quick again. */
const healthy_ms = 60_000;
const longestPause_ms = 10_000;

/**
 * Starts a part and starts it again, after growing pauses, whenever it ends by itself. Those who use it reconnect by
 * themselves. The first start may fail; a restart that fails is tried again.
 */
export async function keepRunning<P extends Part>(
  name: string, start: () => Promise<P>, log: { error(text: string): void },
): Promise<{ first: P; stop(): Promise<void> }> {
  const first = await start();
  const stopping = new AbortController();
  let current: P | undefined = first;
  const watching = watch();

  async function watch(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const since = Date.now();
      const reason = current ? await current.ended : 'it did not start';
      if (stopping.signal.aborted) return;
      failures = Date.now() - since > healthy_ms ? 1 : failures + 1;
      const pause_ms = Math.min(100 * 2 ** failures, longestPause_ms);
      log.error(`The ${name} is gone (${reason}); starting it again in ${pause_ms} ms`);
      await delay(pause_ms, undefined, { signal: stopping.signal }).catch(ignoreAbort);
      if (stopping.signal.aborted) return;
      current = await start().catch((error: Error) => {
        log.error(`The ${name} did not start: ${error.message}`);
        return undefined;
      });
    }
  }

  return {
    first,
    async stop() {
      stopping.abort();
      await current?.stop();
      await watching;
      // A restart that was under way when the stop was asked for has come up meanwhile.
      await current?.stop();
    },
  };
}

function ignoreAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error;
}
