import { BACKWARDS, END, FORWARDS, START } from '@eventstore/db-client';
import type { StoredEvent, StreamReadOptions } from './port.js';
import { read, type Surroundings } from './reads.js';

/** Reads one stream; a broken read goes on after the last event it delivered. */
export async function* readStream(stream: string, options: StreamReadOptions, surroundings: Surroundings): AsyncGenerator<StoredEvent> {
  const { direction = 'forwards', limit = Number.MAX_SAFE_INTEGER } = options;
  let from = options.from ?? (direction === 'forwards' ? START : END);
  let left = limit;
  if (left <= 0) return;

  const batches = read(
    {
      what: `Reading stream ${stream}`,
      stream,
      deadlineMs: options.deadlineMs,
      signal: options.signal,
      open: (client) =>
        client.readStream(stream, {
          fromRevision: from,
          maxCount: left,
          direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
        }),
      wanted: () => true,
      advance({ events }) {
        left -= events.length;
        const last = events.at(-1);
        if (!last) return 'more';
        const atBeginning = direction === 'backwards' && last.revision === 0n;
        if (!atBeginning) from = last.revision + (direction === 'forwards' ? 1n : -1n);
        return left > 0 && !atBeginning ? 'more' : 'done';
      },
      again: () => false,
    },
    surroundings,
  );
  for await (const events of batches) yield* events;
}
