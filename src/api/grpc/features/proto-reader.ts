const tooShort = () => new RangeError('The message ends within a field');

/**
 * Reads protobuf's wire format field by field, where generated objects would cost more than the work itself.
 * `for (const field of reader.fields())` gives field numbers; each must be read or skipped. Throws on what does not decode.
 */
export class ProtoReader {
  private wireType = 0;

  constructor(
    private readonly bytes: Buffer,
    private at = 0,
    private readonly end = bytes.length,
  ) {}

  *fields(): Generator<number> {
    while (this.at < this.end) {
      const tag = this.uint32();
      this.wireType = tag & 7;
      if (tag >>> 3 === 0) throw new RangeError('A field has no number');
      yield tag >>> 3;
    }
  }

  skip(): void {
    if (this.wireType === 0) this.varint();
    else if (this.wireType === 1) this.take(8);
    else if (this.wireType === 2) this.take(this.uint32());
    else if (this.wireType === 5) this.take(4);
    else throw new RangeError(`Wire type ${this.wireType} is not known`);
  }

  uint32(): number {
    return this.varint() >>> 0;
  }

  bool(): boolean {
    return this.varint() !== 0;
  }

  double(): number {
    return this.bytes.readDoubleLE(this.take(8));
  }

  string(): string {
    const length = this.length();
    const from = this.take(length);
    const text = this.bytes.toString('utf8', from, from + length);
    // The replacement character stands for bytes that are no UTF-8, unless it was sent.
    if (text.includes('\uFFFD') && Buffer.byteLength(text) !== length) throw new RangeError('A string is not UTF-8');
    return text;
  }

  /** The message within this field. */
  message(): ProtoReader {
    const length = this.length();
    const from = this.take(length);
    return new ProtoReader(this.bytes, from, from + length);
  }

  /** Repeated numbers come packed or one by one; these add what there is. */
  uint32s(into: number[]): void {
    this.repeated(0, () => into.push(this.uint32()));
  }

  bools(into: boolean[]): void {
    this.repeated(0, () => into.push(this.bool()));
  }

  /** Each a number where a double holds it exactly, else its digits. */
  sint64s(into: (number | string)[]): void {
    this.repeated(0, () => into.push(this.sint64()));
  }

  doubles(into: number[]): void {
    this.repeated(1, () => into.push(this.double()));
  }

  /** As doubles: exact up to 2^53. */
  sfixed64s(into: number[]): void {
    this.repeated(1, () => {
      const from = this.take(8);
      into.push(this.bytes.readInt32LE(from + 4) * 0x1_0000_0000 + this.bytes.readUInt32LE(from));
    });
  }

  /** The number of this varint; exact up to 2^53. */
  varint(): number {
    let value = 0;
    for (let scale = 1, count = 0; count < 10; count++, scale *= 128) {
      if (this.at >= this.end) throw tooShort();
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('A number is longer than ten bytes');
  }

  /** The number of this varint, exact. */
  varint64(): bigint {
    const from = this.at;
    this.varint();
    let exact = 0n;
    for (let at = this.at - 1; at >= from; at--) exact = (exact << 7n) | BigInt(this.bytes[at]! & 0x7f);
    return exact;
  }

  private sint64(): number | string {
    const from = this.at;
    const zigzag = this.varint();
    if (zigzag <= Number.MAX_SAFE_INTEGER) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    this.at = from;
    const exact = this.varint64();
    const value = BigInt.asIntN(64, (exact >> 1n) ^ -(exact & 1n));
    return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  }

  private repeated(wireType: number, readOne: () => void): void {
    if (this.wireType === wireType) return readOne();
    const length = this.length();
    const packedEnd = this.at + length;
    if (packedEnd > this.end) throw tooShort();
    while (this.at < packedEnd) readOne();
    if (this.at !== packedEnd) throw tooShort();
  }

  private length(): number {
    if (this.wireType !== 2) throw new RangeError(`Wire type ${this.wireType} where a length was due`);
    return this.uint32();
  }

  private take(length: number): number {
    const from = this.at;
    if (length > this.end - from) throw tooShort();
    this.at = from + length;
    return from;
  }
}
