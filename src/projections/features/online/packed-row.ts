import type { FeatureValue } from '../../../domain/features/values.js';

/**
 * A row of `feature-online` as it stands in its table: base64 of whole triples of bytes, so that rows put one behind the
 * other are decoded at once, without a character between them. Base64 because the driver gives texts; not JSON because
 * that costs an online read ten times as much, and leaves an object for every row and number.
 *
 * Bytes: how many follow up to the last value (varint; 0 where nothing is held), the event time in microseconds (double),
 * the values in the group's order of features, zeros up to a whole triple. A value is a tag and what it says. Numbers are
 * little-endian. One value has one form, so rows with the same values are the same text.
 */
const [nothing, no, yes, whole, double, text, doubles, escaped] = [0, 1, 2, 3, 4, 5, 6, 7];

/** What stands in the place of a row that is not there. */
export const noRow = 'AAAA';

const timeLength = 8;
let scratch = Buffer.alloc(1 << 12);
let view = viewOf(scratch);
let end = 0;

export function packRow(timeUs: number, values: Iterable<FeatureValue | null>): string {
  // The length is put before the rest once it is known.
  const from = (end = 5);
  room(timeLength);
  putDouble(timeUs);
  for (const value of values) put(value);
  const length = end - from;
  const begin = from - varintLength(length);
  end = begin;
  putVarint(length);
  end = from + length;
  room(2);
  while ((end - begin) % 3 !== 0) scratch[end++] = 0;
  return scratch.toString('base64', begin, end);
}

function put(value: FeatureValue | null): void {
  room(10);
  if (value === null) scratch[end++] = nothing;
  else if (typeof value === 'number') putNumber(value);
  else if (typeof value === 'boolean') scratch[end++] = value ? yes : no;
  else if (typeof value === 'string') value.isWellFormed() ? putText(text, value) : putText(escaped, JSON.stringify(value));
  else {
    room(value.length * 8 + 10);
    scratch[end++] = doubles;
    putVarint(value.length);
    for (const one of value) putDouble(one);
  }
}

/** Half of a surrogate pair is no character, so UTF-8 cannot say it; JSON can. */
function putText(tag: number, value: string): void {
  const length = Buffer.byteLength(value);
  room(length + 10);
  scratch[end++] = tag;
  putVarint(length);
  end += scratch.write(value, end);
}

/** A whole number of 32 bits takes as few bytes as it needs; minus zero is zero, as in JSON. */
function putNumber(value: number): void {
  if (value === (value | 0)) {
    scratch[end++] = whole;
    putVarint(((value << 1) ^ (value >> 31)) >>> 0);
  } else {
    scratch[end++] = double;
    putDouble(value);
  }
}

function putDouble(value: number): void {
  view.setFloat64(end, value, true);
  end += 8;
}

function putVarint(value: number): void {
  for (; value > 0x7f; value >>>= 7) scratch[end++] = (value & 0x7f) | 0x80;
  scratch[end++] = value;
}

const varintLength = (value: number): number => (value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5);

function room(length: number): void {
  if (end + length <= scratch.length) return;
  const larger = Buffer.alloc(Math.max(scratch.length * 2, end + length));
  scratch.copy(larger, 0, 0, end);
  scratch = larger;
  view = viewOf(larger);
}

/** Goes through rows that stand one behind the other. */
export class PackedRows {
  private at = 0;
  private rowEnd = 0;
  private nextRow = 0;
  /** The event time of the row at hand. */
  timeUs = 0;

  private constructor(private readonly bytes: Buffer, private readonly view = viewOf(bytes)) {}

  static of(packed: string): PackedRows {
    return new PackedRows(Buffer.from(packed, 'base64'));
  }

  /** So many of the rows that come next, for somebody else; here they are passed by. */
  take(count: number): PackedRows {
    const from = this.nextRow;
    for (let row = 0; row < count; row++) this.next();
    return new PackedRows(this.bytes.subarray(from, this.nextRow));
  }

  /** Goes to the next row; false where nothing is held in its place. */
  next(): boolean {
    const begin = (this.at = this.nextRow);
    const length = this.varint();
    this.rowEnd = this.at + length;
    this.nextRow = this.rowEnd + 2 - ((this.rowEnd - begin + 2) % 3);
    if (this.rowEnd > this.bytes.length) throw notPacked();
    if (length === 0) return false;
    this.timeUs = this.double();
    return true;
  }

  get hasMore(): boolean {
    return this.at < this.rowEnd;
  }

  /** The next value of the row; null where it has no more, being older than the feature. */
  value(): FeatureValue | null {
    if (this.at >= this.rowEnd) return null;
    switch (this.bytes[this.at++]) {
      case nothing:
        return null;
      case no:
        return false;
      case yes:
        return true;
      case whole:
        return this.whole();
      case double:
        return this.double();
      case text:
        return this.text();
      case escaped:
        return JSON.parse(this.text()) as string;
      case doubles: {
        const length = this.varint();
        return Array.from({ length }, () => this.double());
      }
      default:
        throw notPacked();
    }
  }

  /** Puts the next value into its place if it is a number, without an object for it; else it is still the next. */
  numberInto(numbers: Float64Array, index: number): boolean {
    if (this.at >= this.rowEnd) return false;
    const tag = this.bytes[this.at];
    if (tag !== double && tag !== whole) return false;
    this.at++;
    numbers[index] = tag === double ? this.double() : this.whole();
    return true;
  }

  /** Leaves the next value out. */
  skip(): void {
    if (this.at >= this.rowEnd) return;
    let length: number;
    switch (this.bytes[this.at++]) {
      case whole:
        while (this.bytes[this.at++]! > 0x7f);
        return;
      case double:
        this.at += 8;
        return;
      case text:
      case escaped:
        length = this.varint();
        this.at += length;
        return;
      case doubles:
        length = this.varint();
        this.at += length * 8;
        return;
    }
  }

  private text(): string {
    const length = this.varint();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  private whole(): number {
    const value = this.varint();
    return (value >>> 1) ^ -(value & 1);
  }

  private double(): number {
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  private varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw notPacked();
  }
}

/** The values of one row, as many as it has. */
export function unpackRow(packed: string): (FeatureValue | null)[] {
  const rows = PackedRows.of(packed);
  const values: (FeatureValue | null)[] = [];
  if (rows.next()) while (rows.hasMore) values.push(rows.value());
  return values;
}

const notPacked = (): Error => new Error('A row of feature_online is not in the form in which it was written');

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
