/** Writes protobuf's wire format into one growing buffer. */
export class ProtoWriter {
  private bytes: Buffer;
  private view: DataView;
  private at = 0;

  constructor(expectedBytes = 1024) {
    this.bytes = Buffer.allocUnsafe(expectedBytes);
    this.view = viewOf(this.bytes);
  }

  finish(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  /** Zero, as everywhere in proto3, is not written. */
  uint32(field: number, value: number): void {
    if (value === 0) return;
    this.tag(field, 0);
    this.varint(value);
  }

  /** The empty string is not written. */
  string(field: number, value: string): void {
    if (value !== '') this.repeatedString(field, value);
  }

  repeatedString(field: number, value: string): void {
    this.tag(field, 2);
    const most = value.length * 3;
    this.room(most + 10);
    if (value.length < 43) {
      // Its length surely fits one byte.
      const length = this.bytes.write(value, this.at + 1);
      this.bytes[this.at] = length;
      this.at += length + 1;
    } else {
      this.varint(Buffer.byteLength(value));
      this.at += this.bytes.write(value, this.at);
    }
  }

  data(field: number, value: Uint8Array): void {
    this.tag(field, 2);
    this.varint(value.length);
    this.room(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  /** A message within the message. Its length stands before it: in one byte, or it is moved once it turns out to be longer. */
  message(field: number, write: (writer: ProtoWriter) => void): void {
    this.tag(field, 2);
    this.room(1);
    const from = ++this.at;
    write(this);
    const length = this.at - from;
    if (length < 0x80) {
      this.bytes[from - 1] = length;
      return;
    }
    const more = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : length < 0x1000_0000 ? 3 : 4;
    this.room(more);
    this.bytes.copyWithin(from + more, from, this.at);
    this.at = from - 1;
    this.varint(length);
    this.at += length;
  }

  /** Null stands as zero, here and in the lists below. */
  doubles(field: number, values: ArrayLike<number | null>): void {
    this.fixed(field, values.length);
    for (let index = 0; index < values.length; index++, this.at += 8) this.view.setFloat64(this.at, values[index] ?? 0, true);
  }

  sfixed64s(field: number, values: ArrayLike<number | null>): void {
    this.fixed(field, values.length);
    for (let index = 0; index < values.length; index++, this.at += 8) {
      const value = values[index] ?? 0;
      const high = Math.floor(value / 0x1_0000_0000);
      this.view.setUint32(this.at, value - high * 0x1_0000_0000, true);
      this.view.setInt32(this.at + 4, high, true);
    }
  }

  /** Packed; those that a double does not hold come as their digits. */
  sint64s(field: number, values: readonly (number | string | null)[]): void {
    this.message(field, () => {
      for (const given of values) {
        const value = given ?? 0;
        if (typeof value === 'number' && Math.abs(value) < 2 ** 52) this.varint(value < 0 ? -2 * value - 1 : 2 * value);
        else this.zigzag(BigInt(value));
      }
    });
  }

  /** Packed; an empty list is not written. */
  uint32s(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    this.message(field, () => {
      for (const value of values) this.varint(value);
    });
  }

  /** A whole number that a double holds; zero is not written. */
  int64(field: number, value: number): void {
    if (value === 0) return;
    this.tag(field, 0);
    if (value > 0) this.varint(value);
    else this.varint64(BigInt.asUintN(64, BigInt(value)));
  }

  bools(field: number, values: readonly (boolean | null)[]): void {
    this.tag(field, 2);
    this.varint(values.length);
    this.room(values.length);
    for (const value of values) this.bytes[this.at++] = value ? 1 : 0;
  }

  private zigzag(value: bigint): void {
    this.varint64(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
  }

  private varint64(rest: bigint): void {
    this.room(10);
    for (; rest > 0x7fn; rest >>= 7n) this.bytes[this.at++] = Number(rest & 0x7fn) | 0x80;
    this.bytes[this.at++] = Number(rest);
  }

  private fixed(field: number, count: number): void {
    this.tag(field, 2);
    this.varint(count * 8);
    this.room(count * 8);
  }

  private tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  private varint(value: number): void {
    this.room(10);
    while (value > 0x7f) {
      this.bytes[this.at++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.bytes[this.at++] = value;
  }

  private room(length: number): void {
    if (this.at + length <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + length));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
    this.view = viewOf(larger);
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);
