import type { EventStore, NewEvent, Position, StoredEvent } from '../../../src/platform/eventstore/port.js';
import { WrongExpectedRevision } from '../../../src/platform/eventstore/errors.js';

/** A log in memory, with a hook before and after each append. */
export interface MemoryLog extends Pick<EventStore, 'append' | 'readStream'> {
  readonly events: StoredEvent[];
  readonly appends: { stream: string; count: number }[];
  before: (stream: string) => Promise<void>;
  after: (stream: string) => Promise<void>;
}

export function memoryLog(): MemoryLog {
  const events: StoredEvent[] = [];
  const appends: MemoryLog['appends'] = [];
  const streamOf = (stream: string) => events.filter((event) => event.stream === stream);
  const log: MemoryLog = {
    events,
    appends,
    before: async () => {},
    after: async () => {},
    async append(stream, added, { expected }) {
      await log.before(stream);
      const revision = BigInt(streamOf(stream).length - 1);
      if (expected !== 'any' && expected !== (revision < 0n ? 'none' : revision)) throw new WrongExpectedRevision(stream, expected, revision < 0n ? 'none' : revision);
      for (const event of added) events.push(stored(event, stream, BigInt(streamOf(stream).length), BigInt(events.length + 1)));
      appends.push({ stream, count: added.length });
      await log.after(stream);
      return { revision: revision + BigInt(added.length), position: events.at(-1)!.position };
    },
    async *readStream(stream, { direction, from } = {}) {
      const all = streamOf(stream);
      yield* direction === 'backwards' ? all.reverse() : all.slice(typeof from === 'bigint' ? Number(from) : 0);
    },
  };
  return log;
}

function stored(event: NewEvent, stream: string, revision: bigint, at: bigint): StoredEvent {
  const position: Position = { commit: at, prepare: at };
  return { ...event, data: JSON.parse(JSON.stringify(event.data)), stream, revision, position, recordedAt: new Date() };
}
