import type { AppendResult, EventStore, Position } from '../../platform/eventstore/port.js';

/** The end of a stream: its last revision (-1 where there are no events), and its newest events by id. */
export interface StreamTail {
  readonly revision: bigint;
  readonly positions: ReadonlyMap<string, Position>;
}

/** An event is looked for among so many of the newest; what a killed process left half written lies well within. */
const mostEvents = 2000;
const mostBytes = 4 * 1024 * 1024;
const mostStreams = 512;

interface Kept {
  revision: bigint;
  readonly positions: Map<string, Position>;
  doubted: boolean;
}

/** The ends of the streams that this process writes, so that it can tell what is there already. */
export class StreamTails {
  private readonly tails = new Map<string, Kept>();

  constructor(private readonly eventStore: Pick<EventStore, 'readStream'>) {}

  /** The end of the stream as this process last left it; undefined where that is not certain. */
  known(stream: string): StreamTail | undefined {
    const tail = this.tails.get(stream);
    return tail?.doubted ? undefined : tail;
  }

  /** Reads what has come since the stream was last looked at, or its newest events. */
  async read(stream: string): Promise<StreamTail> {
    const tail: Kept = this.tails.get(stream) ?? { revision: -1n, positions: new Map(), doubted: true };
    const news: [string, Position][] = [];
    let revision = -1n;
    let bytes = 0;
    for await (const event of this.eventStore.readStream(stream, { direction: 'backwards', from: 'end', limit: mostEvents })) {
      if (revision < 0n) revision = event.revision;
      if (event.revision <= tail.revision || bytes > mostBytes) break;
      news.push([event.id, event.position]);
      bytes += event.dataSize ?? 0;
    }
    for (const [id, position] of news.reverse()) tail.positions.set(id, position);
    this.keep(stream, tail, revision);
    return tail;
  }

  /** These events have just been appended; the position is that of the last. */
  extend(stream: string, ids: readonly string[], { revision, position }: AppendResult): void {
    const tail = this.tails.get(stream)!;
    for (const id of ids) tail.positions.set(id, position);
    this.keep(stream, tail, revision);
  }

  /** The stream may have grown: it is read again before it is next written. */
  doubt(stream: string): void {
    const tail = this.tails.get(stream);
    if (tail) tail.doubted = true;
  }

  private keep(stream: string, tail: Kept, revision: bigint): void {
    tail.revision = revision;
    tail.doubted = false;
    for (const id of tail.positions.keys()) {
      if (tail.positions.size <= mostEvents) break;
      tail.positions.delete(id);
    }
    this.tails.delete(stream);
    this.tails.set(stream, tail);
    if (this.tails.size > mostStreams) this.tails.delete(this.tails.keys().next().value!);
  }
}
