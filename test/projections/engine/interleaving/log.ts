import { comparePositions, startOfLog, type EventStore, type LogReadOptions, type Position, type StoredEvent, type StreamReadOptions } from '../../../../src/platform/eventstore/port.js';

export type Log = Pick<EventStore, 'readLog' | 'readStream' | 'subscribe' | 'endOfLog'> & {
  readonly events: readonly StoredEvent[];
  append(stream: string, type: string, data: unknown): StoredEvent;
};

/** A log in memory, in which nothing happens by itself. */
export function memoryLog(): Log {
  const events: StoredEvent[] = [];
  const behind = (from: Position) => events.filter(({ position }) => comparePositions(position, from) > 0);
  const endOfLog = async () => events.at(-1)?.position ?? startOfLog;
  return {
    events,
    endOfLog,
    append(stream, type, data) {
      const place = BigInt(events.length + 1) * 10n;
      const event: StoredEvent = {
        id: `00000000-0000-4000-8000-${String(events.length).padStart(12, '0')}`,
        stream, type, data,
        revision: BigInt(events.filter((other) => other.stream === stream).length),
        position: { commit: place, prepare: place },
        metadata: { version: 1 },
        schemaVersion: 1,
        recordedAt: new Date(1_767_225_600_000 + events.length),
      };
      events.push(event);
      return event;
    },
    async *readLog({ from = startOfLog, limit = Infinity }: LogReadOptions = {}) {
      yield* behind(from as Position).slice(0, limit);
    },
    async *readStream(stream: string, { from = 0n, limit = Infinity }: StreamReadOptions = {}) {
      yield* events.filter((event) => event.stream === stream && event.revision >= (from as bigint)).slice(0, limit);
    },
    async *subscribe({ from }) {
      yield { events: behind(from), position: await endOfLog(), live: true };
    },
  };
}
