import { keptEvent, type HistoryEvent, type KeptEvent } from './events.js';

/** Single events, decoded, for reads that know which they need. Holds at most `limitBytes`, and forgets what was not asked for the longest time. */
export class EventCache {
  private readonly events = new Map<string, KeptEvent>();
  private bytes = 0;

  constructor(private readonly limitBytes: number) {}

  get(stream: string, revision: bigint): HistoryEvent | undefined {
    const name = `${stream}@${revision}`;
    const kept = this.events.get(name);
    if (kept) {
      this.events.delete(name);
      this.events.set(name, kept);
    }
    return kept?.event;
  }

  keep(stream: string, event: HistoryEvent): void {
    const name = `${stream}@${event.revision}`;
    if (this.events.has(name)) return;
    const kept = keptEvent(event);
    this.events.set(name, kept);
    this.bytes += kept.bytes;
    for (const [oldest, { bytes }] of this.events) {
      if (this.bytes <= this.limitBytes) break;
      this.events.delete(oldest);
      this.bytes -= bytes;
    }
  }
}

/** What is held of one stream: its first events, without a gap. */
interface Beginning {
  readonly events: HistoryEvent[];
  bytes: number;
  /** Whether its next event would be too much: packing it, to find that out, costs as much as reading it. */
  full: boolean;
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
  offer(stream: string, offered: HistoryEvent): void {
    const known = this.streams.get(stream) ?? { events: [], bytes: 0, full: this.limitBytes === 0 };
    if (known.full || offered.revision !== BigInt(known.events.length)) return;
    const { event, bytes } = keptEvent(offered);
    if (known.bytes + bytes > this.limitBytes) {
      known.full = true;
      return;
    }
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
