import { crc32 } from 'node:zlib';
import { FRAME_HEADER } from '../wire/framed.js';
import { ProtoReader } from '../../protobuf.js';
import { NO_BYTES } from '../wire/recorded-event.js';
import { blockDamaged, eventDamaged } from '../refusals.js';

/*
 * A block: up to a few dozen events that follow each other in the log, written by one commit.
 *
 *   header   version u8, 3 bytes 0, checksum of header and rows u32, count u32, size of the previous block's
 *            number range u32, first position f64
 *   rows     one for each event: offset u32, length u32, checksum u32, type offset u32, stream f64,
 *            revision f64, created f64 (ms)
 *   frames   the events, each as the framed reply that readers are sent
 *
 * An event's position is the block's first position plus its row. An empty append takes a row without a frame.
 */
export const HEADER_SIZE = 24;
export const ROW_SIZE = 40;
const FORMAT = 1;

/** One event's place in a block. */
export interface Row {
  offset: number;
  length: number;
  checksum: number;
  typeAt: number;
  stream: number;
  revision: number;
  createdMs: number;
}

/** Puts rows and frames together into the bytes that are stored. */
export function sealBlock(first: number, previousCount: number, rows: readonly Row[], frames: Buffer): Buffer {
  const framesAt = HEADER_SIZE + rows.length * ROW_SIZE;
  // In memory of its own: a block is kept for long, and would keep all that shares a chunk of Node's pool with it.
  const bytes = Buffer.allocUnsafeSlow(framesAt + frames.length);
  bytes.writeUInt32LE(FORMAT, 0);
  bytes.writeUInt32LE(rows.length, 8);
  bytes.writeUInt32LE(previousCount, 12);
  bytes.writeDoubleLE(first, 16);
  for (let i = 0, at = HEADER_SIZE; i < rows.length; i++, at += ROW_SIZE) {
    const row = rows[i]!;
    bytes.writeUInt32LE(row.offset, at);
    bytes.writeUInt32LE(row.length, at + 4);
    bytes.writeUInt32LE(row.checksum, at + 8);
    bytes.writeUInt32LE(row.typeAt, at + 12);
    bytes.writeDoubleLE(row.stream, at + 16);
    bytes.writeDoubleLE(row.revision, at + 24);
    bytes.writeDoubleLE(row.createdMs, at + 32);
  }
  bytes.set(frames, framesAt);
  bytes.writeUInt32LE(headChecksum(bytes, framesAt), 4);
  return bytes;
}

function headChecksum(bytes: Buffer, framesAt: number): number {
  return crc32(bytes.subarray(8, framesAt), FORMAT);
}

/** The checksum of an event's frame. */
export const checksumOf = (bytes: Buffer): number => crc32(bytes);

/** A stored block, read without decoding: every accessor looks into its bytes. */
export class Block {
  readonly first: number;
  readonly count: number;
  private readonly framesAt: number;
  /** Rows whose checksum was compared; undefined for a block that this process has just written. */
  private checked: Uint8Array | undefined;

  private constructor(readonly bytes: Buffer, trusted: boolean) {
    this.count = bytes.readUInt32LE(8);
    this.first = bytes.readDoubleLE(16);
    this.framesAt = HEADER_SIZE + this.count * ROW_SIZE;
    if (!trusted) this.checked = new Uint8Array(this.count);
  }

  /** A block that comes from memory. */
  static written(bytes: Buffer): Block {
    return new Block(bytes, true);
  }

  /** A block that comes from disk. Refused when its header or rows are damaged; its events are checked as they are read. */
  static stored(bytes: Buffer, key: number): Block {
    const framesAt = bytes.length < HEADER_SIZE ? Infinity : HEADER_SIZE + bytes.readUInt32LE(8) * ROW_SIZE;
    if (framesAt > bytes.length || bytes.readUInt32LE(0) !== FORMAT || bytes.readUInt32LE(4) !== headChecksum(bytes, framesAt)) throw blockDamaged(key);
    const block = new Block(bytes, false);
    if (block.first !== key) throw blockDamaged(key);
    return block;
  }

  /** The position behind the block's last. */
  get end(): number {
    return this.first + this.count;
  }

  /** How many positions the block before this one has; 0 when there is none. */
  get previousCount(): number {
    return this.bytes.readUInt32LE(12);
  }

  /** Whether a row holds an event, and not an empty append or something scavenged. */
  has(row: number): boolean {
    return this.length(row) > 0;
  }

  stream(row: number): number {
    return this.bytes.readDoubleLE(HEADER_SIZE + row * ROW_SIZE + 16);
  }

  revision(row: number): number {
    return this.bytes.readDoubleLE(HEADER_SIZE + row * ROW_SIZE + 24);
  }

  createdMs(row: number): number {
    return this.bytes.readDoubleLE(HEADER_SIZE + row * ROW_SIZE + 32);
  }

  position(row: number): number {
    return this.first + row;
  }

  /** The framed reply of one event. Throws when the event is damaged. */
  frame(row: number): Buffer {
    return this.frames(row, row + 1);
  }

  /** The framed replies of the rows from `from` up to but without `to`, which lie next to each other. */
  frames(from: number, to: number): Buffer {
    for (let row = from; row < to; row++) this.check(row);
    const start = this.framesAt + this.offset(from);
    const end = this.framesAt + this.offset(to - 1) + this.length(to - 1);
    return this.bytes.subarray(start, end);
  }

  /** The stream's name as it stands in the event. */
  streamName(row: number): string {
    return recordedReader(this.frame(row)).streamName();
  }

  /** The event's type as text. */
  type(row: number): string {
    const at = this.framesAt + this.offset(row);
    this.check(row);
    const reader = new ProtoReader(this.bytes, at + this.bytes.readUInt32LE(HEADER_SIZE + row * ROW_SIZE + 12), at + this.length(row));
    reader.wireType = 2;
    return reader.text();
  }

  /** The row as it is stored. */
  row(row: number): Row {
    const at = HEADER_SIZE + row * ROW_SIZE;
    return {
      offset: this.offset(row),
      length: this.length(row),
      checksum: this.bytes.readUInt32LE(at + 8),
      typeAt: this.bytes.readUInt32LE(at + 12),
      stream: this.stream(row),
      revision: this.revision(row),
      createdMs: this.createdMs(row),
    };
  }

  private offset(row: number): number {
    return this.bytes.readUInt32LE(HEADER_SIZE + row * ROW_SIZE);
  }

  private length(row: number): number {
    return this.bytes.readUInt32LE(HEADER_SIZE + row * ROW_SIZE + 4);
  }

  /** Whether the event of a row is there and matches its checksum. */
  isIntact(row: number): boolean {
    if (this.checked === undefined || this.checked[row] === 1) return true;
    const start = this.framesAt + this.offset(row);
    const frame = this.bytes.subarray(start, start + this.length(row));
    if (frame.length !== this.length(row) || checksumOf(frame) !== this.bytes.readUInt32LE(HEADER_SIZE + row * ROW_SIZE + 8)) return false;
    this.checked[row] = 1;
    return true;
  }

  private check(row: number): void {
    if (!this.isIntact(row)) throw eventDamaged(this.position(row));
  }
}

/** What of a framed event the server itself looks at. */
export class RecordedEventView {
  constructor(
    /** The RecordedEvent message, without the messages around it. */
    readonly recorded: Buffer,
  ) {}

  id(): string {
    return this.recorded.toString('latin1', 4, 40);
  }

  streamName(): string {
    const identifier = this.field(2)?.message();
    return identifier?.next() ? identifier.text() : '';
  }

  revision(): bigint {
    return this.field(3)?.unsigned() ?? 0n;
  }

  isJson(): boolean {
    return this.system('content-type') === 'application/json';
  }

  data(): Buffer {
    return this.field(8)?.slice() ?? NO_BYTES;
  }

  metadata(): Buffer {
    return this.field(7)?.slice() ?? NO_BYTES;
  }

  /** The event's entry in the metadata map. */
  system(key: 'type' | 'content-type' | 'created'): string {
    const reader = new ProtoReader(this.recorded);
    while (reader.next()) {
      if (reader.field !== 6) {
        reader.skip();
        continue;
      }
      const entry = reader.message();
      let name = '';
      let value = '';
      while (entry.next()) {
        if (entry.field === 1) name = entry.text();
        else value = entry.text();
      }
      if (name === key) return value;
    }
    return '';
  }

  private field(number: number): ProtoReader | undefined {
    const reader = new ProtoReader(this.recorded);
    while (reader.next()) {
      if (reader.field === number) return reader;
      reader.skip();
    }
    return undefined;
  }
}

/** Looks into a framed reply. */
export function recordedReader(framed: Buffer): RecordedEventView {
  const reply = new ProtoReader(framed, FRAME_HEADER);
  reply.next();
  const readEvent = reply.message();
  readEvent.next();
  return new RecordedEventView(readEvent.slice());
}
