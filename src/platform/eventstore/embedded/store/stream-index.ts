import type { IndexTable } from './environment.js';

/** Events of one stream that stand in one block. */
export interface Run {
  /** The first of their revisions; the others follow it without gaps. */
  readonly firstRevision: number;
  readonly count: number;
  /** The key of the block. */
  readonly block: number;
}

const KEY_SIZE = 14;
const VALUE_SIZE = 12;
const LAST_KEY = 0xffff_ffff_ffff_ffffn;

/** The key of a run: stream number (6 bytes), first revision (8 bytes), both big-endian so that runs sort. */
export function runKey(stream: number, firstRevision: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_SIZE);
  key.writeUIntBE(stream, 0, 6);
  key.writeBigUInt64BE(BigInt(firstRevision), 6);
  return key;
}

export function runValue(block: number, count: number): Buffer {
  const value = Buffer.allocUnsafe(VALUE_SIZE);
  value.writeDoubleLE(block, 0);
  value.writeUInt32LE(count, 8);
  return value;
}

/** Finds where a stream's revisions are. */
export class StreamIndex {
  constructor(private readonly table: IndexTable) {}

  /** The runs that hold `revision` and those after it, at most `limit`. */
  forward(stream: number, revision: number, limit: number): Run[] {
    const holding = this.backward(stream, revision, 1)[0];
    const start = runKey(stream, holding === undefined ? 0 : holding.firstRevision);
    const out: Run[] = [];
    for (const { key, value } of this.table.getRange({ start, end: endOf(stream), limit })) out.push(toRun(key, value));
    return out;
  }

  /** The runs that hold `revision` and those before it, latest first, at most `limit`. */
  backward(stream: number, revision: number, limit: number): Run[] {
    const out: Run[] = [];
    for (const { key, value } of this.table.getRange({ start: runKey(stream, revision), end: startOf(stream), reverse: true, limit })) {
      if (key.readUIntBE(0, 6) !== stream) break;
      out.push(toRun(key, value));
    }
    return out;
  }
}

function toRun(key: Buffer, value: Buffer): Run {
  return { firstRevision: Number(key.readBigUInt64BE(6)), block: value.readDoubleLE(0), count: value.readUInt32LE(8) };
}

/** Just before every run of the stream, in the order of keys. */
const startOf = (stream: number): Buffer => {
  const key = Buffer.alloc(KEY_SIZE, 0xff);
  key.writeUIntBE(stream - 1, 0, 6);
  return key;
};

const endOf = (stream: number): Buffer => {
  const key = Buffer.allocUnsafe(KEY_SIZE);
  key.writeUIntBE(stream, 0, 6);
  key.writeBigUInt64BE(LAST_KEY, 6);
  return key;
};
