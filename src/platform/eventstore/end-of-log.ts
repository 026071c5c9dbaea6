import { BACKWARDS, END } from '@eventstore/db-client';
import { isSystemEvent } from './filter.js';
import { comparePositions, startOfLog, type CallOptions, type Position } from './port.js';
import { read, type Surroundings } from './reads.js';

/**
 * Finds the last event of the log that is not the server's own. Servers write statistics, links and metadata
 * behind it, so the search goes backwards over those, but never twice over the same ones.
 */
export class EndOfLog {
  private searchedFrom = startOfLog;
  private last = startOfLog;

  constructor(private readonly surroundings: Surroundings) {}

  async find(options: CallOptions & { signal?: AbortSignal; heal?: boolean } = {}): Promise<Position> {
    const known = { searchedFrom: this.searchedFrom, last: this.last };
    let from: Position | typeof END = END;
    let newest: Position | undefined;
    let found: Position | undefined;
    let page = 1;
    let inPage = 0;

    const batches = read(
      {
        what: "Reading the log's end",
        ...options,
        open(client) {
          inPage = 0;
          return client.readAll({ fromPosition: from, maxCount: page, direction: BACKWARDS });
        },
        wanted: () => true,
        advance({ events, position }) {
          inPage += events.length;
          from = position ?? from;
          newest ??= events[0]?.position;
          const hit = events.find((event) => !isSystemEvent(event) || comparePositions(event.position, known.searchedFrom) <= 0);
          if (hit) found = isSystemEvent(hit) ? known.last : hit.position;
          return hit ? 'done' : 'more';
        },
        again() {
          const full = inPage >= page;
          page *= 4;
          return full;
        },
      },
      this.surroundings,
    );
    for await (const _ of batches);

    this.searchedFrom = newest ?? startOfLog;
    this.last = found ?? startOfLog;
    return this.last;
  }
}
