import { BACKWARDS, END, FORWARDS, START } from '@eventstore/db-client';
import type { EndOfLog } from './end-of-log.js';
import { serverFilter, wanted } from './filter.js';
import type { ClientStream } from './flow.js';
import { comparePositions, startOfLog, type LogReadOptions, type Position, type StoredEvent } from './port.js';
import { read, type Surroundings } from './reads.js';

/** More than what a page was asked to deliver, as some of its events may not be wanted. */
const smallestPage = 64;

/**
 * Reads the log. The client cannot send a filter with such a read. So forwards, a filtered read is a filtered
 * subscription, followed until it reaches what was the log's end at the start; backwards, the port does the
 * filtering, in pages that double in size so that a small limit costs little.
 */
export async function* readLog(options: LogReadOptions, endOfLog: EndOfLog, surroundings: Surroundings): AsyncGenerator<StoredEvent> {
  const { direction = 'forwards', limit = Number.MAX_SAFE_INTEGER, filter, system = false } = options;
  if (limit <= 0) return;
  const forwards = direction === 'forwards';
  const passes = wanted(filter, system);
  let from = options.from ?? (forwards ? START : END);
  let page = limit === Number.MAX_SAFE_INTEGER ? limit : Math.max(limit + 1, smallestPage);
  let left = limit;
  let inPage = 0;

  const filtered = forwards && filter !== undefined && !system && from !== 'end';
  const end = filtered ? await endOfLog.find(options) : undefined;
  if (end && (end === startOfLog || isBeyond(from, end, forwards))) return;

  const batches = read(
    {
      what: 'Reading the log',
      deadlineMs: options.deadlineMs,
      signal: options.signal,
      open(client): ClientStream {
        inPage = 0;
        if (filtered) return client.subscribeToAll({ fromPosition: from, filter: serverFilter(filter) });
        return client.readAll({ fromPosition: from, maxCount: page, direction: forwards ? FORWARDS : BACKWARDS });
      },
      wanted: (event) => passes(event) && !isBeyond(from, event.position, forwards) && (!end || comparePositions(event.position, end) <= 0),
      advance({ events, count, position, caughtUp }) {
        inPage += count;
        from = position ?? from;
        if (events.length > left) events.length = left;
        left -= events.length;
        const over = end !== undefined && (caughtUp || isBeyond(from, end, forwards));
        return left > 0 && !over ? 'more' : 'done';
      },
      again() {
        const full = inPage >= page;
        page = Math.min(page * 2, Number.MAX_SAFE_INTEGER);
        return full;
      },
    },
    surroundings,
  );
  for await (const events of batches) yield* events;
}

/** Whether a read that stands at `from` has already passed `position`, or stands on it. */
function isBeyond(from: Position | 'start' | 'end', position: Position, forwards: boolean): boolean {
  if (from === START || from === END) return false;
  const order = comparePositions(from, position);
  return forwards ? order >= 0 : order <= 0;
}
