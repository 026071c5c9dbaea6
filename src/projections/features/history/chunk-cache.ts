import { heldBytes, type HistoryEvent } from './events.js';

/** Single events, decoded, for reads that know which they need. Holds at most `limitBytes`, and forgets what was not asked for the longest time. */
export class EventCache {
  private readonly events = new Map<string, HistoryEvent>();
  private bytes = 0;

  constructor(private readonly limitBytes: number) {}

  get(stream: string, revision: bigint): HistoryEvent | undefined {
    const name = `${stream}@${revision}`;
    const event = this.events.get(name);
    if (event) {
      this.events.delete(name);
      this.events.set(name, event);
    }
    return event;
  }

  keep(stream: string, event: HistoryEvent): void {
    const name = `${stream}@${event.revision}`;
    if (this.events.has(name)) return;
    this.events.set(name, event);
    this.bytes += heldBytes(event);
    for (const [oldest, held] of this.events) {
      if (this.bytes <= this.limitBytes) break;
      this.events.delete(oldest);
      this.bytes -= heldBytes(held);
    }
  }
}

/** What is held of one stream: its first events, without a gap. */
interface Beginning {
  readonly events: HistoryEvent[];
  bytes: number;
}

/**
 * The beginnings of streams of rows, decoded, so that a second replay reads only what was written since the first.
 * Events never change, so nothing here is ever stale. Holds at most `limitBytes`, and forgets the stream that was
 * not read for the longest time.
 */
export class ChunkCache {
  private readonly streams = new Map<string, Beginning>();
  private bytes = 0;

  constructor(private readonly limitBytes: number) {}

  /** The first events of a stream; a replay goes on after the last of them. */
  beginning(stream: string): readonly HistoryEvent[] {
    const known = this.streams.get(stream);
    if (known === undefined) return [];
    this.streams.delete(stream);
    this.streams.set(stream, known);
    return known.events;
  }

  /** Keeps an event when it is the stream's next one; whoever reads beside others offers events that are here already. */
  offer(stream: string, event: HistoryEvent): void {
    const known = this.streams.get(stream) ?? { events: [], bytes: 0 };
    const bytes = heldBytes(event);
    if (event.revision !== BigInt(known.events.length) || known.bytes + bytes > this.limitBytes) return;
    known.events.push(event);
    known.bytes += bytes;
    this.bytes += bytes;
    this.streams.set(stream, known);
    for (const [oldest, { bytes: freed }] of this.streams) {
      if (this.bytes <= this.limitBytes || oldest === stream) break;
      this.streams.delete(oldest);
      this.bytes -= freed;
    }
  }
}
