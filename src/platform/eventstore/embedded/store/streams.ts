import { TOMBSTONE_REVISION } from '../wire/recorded-event.js';
import { recordedReader } from './block.js';
import type { BlockLog } from './block-log.js';
import type { NameIndex } from './name-index.js';
import { METASTREAM_METADATA, NO_METADATA, isMetastream, metadataOf, metastreamOf, type StreamMetadata } from './metadata.js';
import type { StreamIndex } from './stream-index.js';

/** What is so of a stream at one point of the log. */
export interface Head {
  /** The last revision; -1 when the stream has none. */
  readonly last: number;
  readonly tombstoned: boolean;
  readonly metadata: StreamMetadata;
}

/** One stream as the writer has decided it so far and as it is durable. */
export interface StreamState {
  readonly name: string;
  readonly nameBytes: Buffer;
  /** The stream's number: the position of its first event; 0 until it has one. */
  number: number;
  decided: Head;
  committed: Head;
}

/** States kept in memory when nothing is being written to them, and characters of their names. */
const CAPACITY = 20_000;
const CHARACTERS = 4_000_000;

/** The streams by name, loaded when first asked for. */
export class Streams {
  private readonly states = new Map<string, StreamState>();
  private characters = 0;
  private isEvicting = false;

  constructor(
    private readonly names: NameIndex,
    private readonly index: StreamIndex,
    private readonly log: BlockLog,
  ) {}

  get(name: string): StreamState {
    const known = this.states.get(name);
    if (known !== undefined) return known;
    const state = this.load(name);
    this.states.set(name, state);
    this.characters += name.length;
    if (this.isFull(1)) this.evictSoon();
    return state;
  }

  /** Forgets everything that was decided but did not become durable. */
  reset(): void {
    this.states.clear();
    this.characters = 0;
  }

  private load(name: string): StreamState {
    const nameBytes = Buffer.from(name);
    const number = this.names.get(name) ?? 0;
    const { last, tombstoned } = this.lastOf(number);
    const head: Head = { last, tombstoned, metadata: isMetastream(name) ? METASTREAM_METADATA : this.loadMetadata(name) };
    return { name, nameBytes, number, decided: head, committed: head };
  }

  private lastOf(number: number): { last: number; tombstoned: boolean } {
    if (number === 0) return { last: -1, tombstoned: false };
    const runs = this.index.backward(number, TOMBSTONE_REVISION, 2);
    const tombstoned = runs[0]?.firstRevision === TOMBSTONE_REVISION;
    const run = runs[tombstoned ? 1 : 0];
    return { last: run === undefined ? -1 : run.firstRevision + run.count - 1, tombstoned };
  }

  /** The metadata in the last event of the stream's metadata stream. */
  private loadMetadata(name: string): StreamMetadata {
    const number = this.names.get(metastreamOf(name));
    if (number === undefined) return NO_METADATA;
    const run = this.index.backward(number, TOMBSTONE_REVISION - 1024, 1)[0];
    const block = run && this.log.load(run.block);
    if (block === undefined) return NO_METADATA;
    for (let row = block.count - 1; row >= 0; row--) {
      if (block.stream(row) !== number) continue;
      const event = recordedReader(block.frame(row));
      return metadataOf(Buffer.from(event.data()), event.isJson());
    }
    return NO_METADATA;
  }

  private isFull(share: number): boolean {
    return this.states.size > CAPACITY * share || this.characters > CHARACTERS * share;
  }

  /** In a turn of its own: whoever has asked for one state and asks for another is about to write to the first. */
  private evictSoon(): void {
    if (this.isEvicting) return;
    this.isEvicting = true;
    setImmediate(() => {
      this.isEvicting = false;
      this.evict();
    });
  }

  private evict(): void {
    for (const [name, state] of this.states) {
      if (!this.isFull(0.9)) return;
      if (state.decided !== state.committed) continue;
      this.states.delete(name);
      this.characters -= name.length;
    }
  }
}
