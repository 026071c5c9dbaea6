import { TOMBSTONE_REVISION, createdEntry, encodeRecordedEvent, encodedSizeBound, type ProposedEvent } from '../wire/recorded-event.js';
import { checksumOf, sealBlock, type Row } from './block.js';
import type { Run } from './stream-index.js';
import type { StreamState } from './streams.js';

/** Size at which a block is closed: large enough to read the log fast, small enough to read one event of it. */
const TARGET_BYTES = 16 * 1024;

/** A block ready to be stored, with the runs that index it. */
export interface SealedBlock {
  readonly first: number;
  readonly count: number;
  readonly bytes: Buffer;
  readonly runs: readonly (Run & { readonly stream: number })[];
}

/** Collects events into the block at the end of the log. */
export class BlockBuilder {
  private frames = Buffer.allocUnsafe(2 * TARGET_BYTES);
  private used = 0;
  private rows: Row[] = [];
  private runs = new Map<number, { firstRevision: number; count: number }>();
  private tombstones: number[] = [];
  private createdAt = 0;
  private created = createdEntry(0);

  constructor(
    private first: number,
    private previousCount: number,
  ) {}

  /** The position that the next event gets. */
  get position(): number {
    return this.first + this.rows.length;
  }

  get isFull(): boolean {
    return this.used >= TARGET_BYTES;
  }

  get isEmpty(): boolean {
    return this.rows.length === 0;
  }

  /** Adds one event and returns its position. */
  add(stream: StreamState, event: ProposedEvent, revision: number, createdMs: number): number {
    const position = this.position;
    if (createdMs !== this.createdAt) {
      this.createdAt = createdMs;
      this.created = createdEntry(createdMs);
    }
    this.reserve(encodedSizeBound(event, stream.nameBytes));
    const start = this.used;
    const { end, typeAt } = encodeRecordedEvent(this.frames, start, event, stream.nameBytes, revision, position, this.created);
    this.used = end;
    this.rows.push({ offset: start, length: end - start, checksum: checksumOf(this.frames.subarray(start, end)), typeAt, stream: stream.number, revision, createdMs });
    this.index(stream.number, revision);
    return position;
  }

  /** Takes a position without an event. */
  addEmpty(createdMs: number): number {
    const position = this.position;
    this.rows.push({ offset: this.used, length: 0, checksum: 0, typeAt: 0, stream: 0, revision: 0, createdMs });
    return position;
  }

  /** Closes the block and begins the next one. */
  seal(): SealedBlock {
    const { first } = this;
    const count = this.rows.length;
    const bytes = sealBlock(first, this.previousCount, this.rows, this.frames.subarray(0, this.used));
    const runs = [...this.runs].map(([stream, run]) => ({ stream, block: first, ...run }));
    for (const stream of this.tombstones) runs.push({ stream, block: first, firstRevision: TOMBSTONE_REVISION, count: 1 });
    this.first += count;
    this.previousCount = count;
    this.used = 0;
    this.rows = [];
    this.runs = new Map();
    this.tombstones = [];
    if (this.frames.length > 2 * TARGET_BYTES) this.frames = Buffer.allocUnsafe(2 * TARGET_BYTES);
    return { first, count, bytes, runs };
  }

  private index(stream: number, revision: number): void {
    if (revision === TOMBSTONE_REVISION) {
      this.tombstones.push(stream);
      return;
    }
    const run = this.runs.get(stream);
    if (run === undefined) this.runs.set(stream, { firstRevision: revision, count: 1 });
    else run.count++;
  }

  private reserve(bytes: number): void {
    if (this.used + bytes <= this.frames.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.used + bytes, 2 * this.frames.length));
    this.frames.copy(larger, 0, 0, this.used);
    this.frames = larger;
  }
}
