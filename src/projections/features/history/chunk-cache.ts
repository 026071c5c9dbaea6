import { keptEvent, type HistoryEvent, type KeptEvent } from './events.js';

/** Single events, packed, for reads that know which they need. Holds at most `limitBytes`, and forgets what was not asked for the longest time. */
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
    if (kept.bytes > this.limitBytes) return;
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
  readAt: number;
}

/** How long after it was read a stream keeps its place against others. */
const keptForMs = 60_000;
/** What a row takes at the least: its time and the index of its key. */
const leastBytesOfRow = 10;

/**
 * The beginnings of streams of rows, packed, so that a second replay reads only what was written since the first.
 * Events never change, so nothing here is ever stale. Holds at most `limitBytes`. A stream makes room for another when
 * nobody has read it for a minute: a replay of more than there is room for would else push out each stream just before
 * it comes to it again, and never find anything here.
 */
export class ChunkCache {
  /** The one read longest ago comes first. */
  private readonly streams = new Map<string, Beginning>();
  private bytes = 0;

  constructor(
    private readonly limitBytes: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** About how many bytes of memory are held. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** The first events of a stream; a replay goes on after the last of them. */
  beginning(stream: string): readonly HistoryEvent[] {
    const known = this.streams.get(stream);
    if (known === undefined) return [];
    this.touch(stream, known);
    return known.events;
  }

  /** Keeps an event when it is the stream's next one; whoever reads beside others offers events that are here already. */
  offer(stream: string, offered: HistoryEvent): void {
    const known = this.streams.get(stream) ?? { events: [], bytes: 0, readAt: 0 };
    // Packing costs as much as reading, so it is not done for nothing.
    if (offered.revision !== BigInt(known.events.length) || !this.makeRoom(stream, 'deleted' in offered ? 0 : offered.block.rows * leastBytesOfRow)) return;
    const { event, bytes } = keptEvent(offered);
    if (!this.makeRoom(stream, bytes)) return;
    known.events.push(event);
    known.bytes += bytes;
    this.bytes += bytes;
    this.touch(stream, known);
  }

  private touch(stream: string, known: Beginning): void {
    known.readAt = this.now();
    this.streams.delete(stream);
    this.streams.set(stream, known);
  }

  private makeRoom(stream: string, bytes: number): boolean {
    for (const [oldest, { bytes: freed, readAt }] of this.streams) {
      if (this.bytes + bytes <= this.limitBytes || oldest === stream || this.now() - readAt < keptForMs) break;
      this.streams.delete(oldest);
      this.bytes -= freed;
    }
    return this.bytes + bytes <= this.limitBytes;
  }
}
