import { Refusal } from '../../../domain/kit/index.js';
import type { EventStore } from '../../../platform/eventstore/port.js';

/** How long a read waits for what was written before it. */
export const longestWait_ms = 5_000;

/** Up to where streams have been taken in. */
export class Progress {
  private readonly revisions = new Map<string, bigint>();
  private readonly waiting = new Set<() => void>();
  private failure: { readonly error: unknown } | undefined;

  reach(stream: string, revision: bigint): void {
    this.revisions.set(stream, revision);
  }

  /** Lets those who wait look again. */
  tell(): void {
    for (const look of this.waiting) look();
  }

  /** Nothing more will be taken in. */
  fail(error: unknown): void {
    this.failure = { error };
    this.tell();
  }

  /** Resolves when the revision of the stream is in. */
  async reached(stream: string, revision: bigint, signal: AbortSignal): Promise<void> {
    while ((this.revisions.get(stream) ?? -1n) < revision) {
      if (this.failure) throw this.failure.error;
      if (signal.aborted) throw new Refusal('UNAVAILABLE', 'The windows have not taken in what was just written; ask again', { reason: 'WINDOWS_BEHIND' });
      await this.news(signal);
    }
  }

  private news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        this.waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.waiting.add(look);
      signal.addEventListener('abort', look, { once: true });
    });
  }
}

/** Resolves when all that stands in the streams now has been taken in. */
export async function caughtUp(eventStore: EventStore, streams: readonly string[], progress: Progress, signal?: AbortSignal): Promise<void> {
  const wait = AbortSignal.timeout(longestWait_ms);
  const either = signal ? AbortSignal.any([signal, wait]) : wait;
  await Promise.all(
    streams.map(async (stream) => {
      for await (const { revision } of eventStore.readStream(stream, { direction: 'backwards', from: 'end', limit: 1, signal: either })) await progress.reached(stream, revision, either);
    }),
  );
}
