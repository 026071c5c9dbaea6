/**
 * The few protobuf primitives that the hot messages need. Written by hand because generated
 * classes copy every field several times, which costs more than storing the event.
 */

/** Bytes that `value` takes as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  while (value >= 0x80) {
    value = value < 0x80000000 ? value >>> 7 : Math.floor(value / 0x80);
    size++;
  }
  return size;
}

/** Writes a non-negative integer up to 2^53 as a varint and returns the offset behind it. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  while (value >= 0x80000000) {
    target[at++] = (value % 0x80) | 0x80;
    value = Math.floor(value / 0x80);
  }
  while (value >= 0x80) {
    target[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  target[at++] = value;
  return at;
}

/** The tag of a field: its number and how its value is written. */
export const tag = (field: number, wireType: 0 | 1 | 2 | 5): number => (field << 3) | wireType;

/** One length-delimited field as bytes. */
export function bytesField(field: number, value: Uint8Array): Buffer {
  const head = tag(field, 2);
  const headSize = varintSize(head);
  const out = Buffer.allocUnsafe(headSize + varintSize(value.length) + value.length);
  const at = writeVarint(out, writeVarint(out, 0, head), value.length);
  out.set(value, at);
  return out;
}

/** One string field as bytes. */
export const stringField = (field: number, value: string): Buffer => bytesField(field, Buffer.from(value));

/** One varint field as bytes. Negative integers are written as proto3 does, in two's complement of 64 bits. */
export function varintField(field: number, value: number | bigint): Buffer {
  const rest = typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : BigInt.asUintN(64, BigInt(value));
  const out = Buffer.allocUnsafe(MAX_TAG + MAX_VARINT);
  const at = writeVarint(out, 0, tag(field, 0));
  return out.subarray(0, typeof rest === 'number' ? writeVarint(out, at, rest) : writeBigVarint(out, at, rest));
}

const MAX_TAG = 5;
const MAX_VARINT = 10;

function writeBigVarint(target: Buffer, at: number, rest: bigint): number {
  for (; rest >= 0x80n; rest >>= 7n) target[at++] = Number(rest & 0x7fn) | 0x80;
  target[at++] = Number(rest);
  return at;
}

/** A message made of fields that are already encoded. */
export const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields);

/** Reads the fields of one message inside a larger buffer, without copying. Throws RangeError when the bytes are no message. */
export class ProtoReader {
  field = 0;
  wireType = 0;

  constructor(
    readonly bytes: Buffer,
    public at = 0,
    readonly end = bytes.length,
  ) {}

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const head = this.varint();
    this.field = Math.floor(head / 8);
    this.wireType = head & 7;
    if (this.field === 0) throw new RangeError('a field of number 0');
    return true;
  }

  /** An unsigned varint as a number; beyond 2^53 it is the nearest double. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.at >= this.end) throw new RangeError('a varint that runs out of its message');
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new RangeError('a varint of more than ten bytes');
  }

  /** An unsigned varint, exact. */
  unsigned(): bigint {
    const from = this.at;
    const value = this.varint();
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    this.at = from;
    return BigInt.asUintN(64, this.signed());
  }

  /** A signed 64-bit varint (int32, int64, enum). */
  signed(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.end) throw new RangeError('a varint that runs out of its message');
      const byte = this.bytes[this.at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new RangeError('a varint of more than ten bytes');
  }

  bool(): boolean {
    return this.varint() !== 0;
  }

  /** The same as a number; beyond 2^53 it is the nearest double. */
  int(): number {
    const from = this.at;
    const value = this.varint();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    this.at = from;
    return Number(this.signed());
  }

  /** Moves behind a length-delimited field; its bytes lie between the offset given back and `at`. */
  enter(): number {
    const end = this.lengthEnd();
    const from = this.at;
    this.at = end;
    return from;
  }

  /** The bytes of a length-delimited field, as a view. */
  slice(): Buffer {
    const end = this.lengthEnd();
    const out = this.bytes.subarray(this.at, end);
    this.at = end;
    return out;
  }

  text(): string {
    const end = this.lengthEnd();
    const out = this.bytes.toString('utf8', this.at, end);
    this.at = end;
    return out;
  }

  /** A reader over the message in this field. */
  message(): ProtoReader {
    const end = this.lengthEnd();
    const reader = new ProtoReader(this.bytes, this.at, end);
    this.at = end;
    return reader;
  }

  skip(): void {
    switch (this.wireType) {
      case 0:
        this.varint();
        return;
      case 1:
        this.advance(8);
        return;
      case 2:
        this.at = this.lengthEnd();
        return;
      case 5:
        this.advance(4);
        return;
      default:
        throw new RangeError(`a field of unknown wire type ${this.wireType}`);
    }
  }

  private lengthEnd(): number {
    if (this.wireType !== 2) throw new RangeError('a field that should have a length');
    const length = this.varint();
    const end = this.at + length;
    if (end > this.end) throw new RangeError('a field that runs out of its message');
    return end;
  }

  private advance(bytes: number): void {
    this.at += bytes;
    if (this.at > this.end) throw new RangeError('a field that runs out of its message');
  }
}
