import type { ProtoReader } from './proto-reader.js';

/** Values nested deeper than this are no feature's value. */
const deepest = 8;

/** google.protobuf.Value as JSON. */
export function readValue(reader: ProtoReader, depth = 0): unknown {
  if (depth > deepest) throw new RangeError('A value is nested too deep');
  let value: unknown = null;
  for (const field of reader.fields()) {
    if (field === 2) value = reader.double();
    else if (field === 3) value = reader.string();
    else if (field === 4) value = reader.bool();
    else if (field === 5) value = Object.fromEntries(readMap(reader.message(), 1, depth + 1));
    else if (field === 6) value = readList(reader.message(), depth + 1);
    else reader.skip();
  }
  return value;
}

/** A map<string, google.protobuf.Value>, `field` being its number in the message. */
function readMap(reader: ProtoReader, map: number, depth: number): Map<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const field of reader.fields()) {
    if (field === map) readEntry(reader.message(), entries, depth);
    else reader.skip();
  }
  return entries;
}

/** One entry of a map<string, google.protobuf.Value>. */
export function readEntry(reader: ProtoReader, entries: Map<string, unknown>, depth = 0): void {
  let key = '';
  let value: unknown = null;
  for (const field of reader.fields()) {
    if (field === 1) key = reader.string();
    else if (field === 2) value = readValue(reader.message(), depth);
    else reader.skip();
  }
  entries.set(key, value);
}

function readList(reader: ProtoReader, depth: number): unknown[] {
  const list: unknown[] = [];
  for (const field of reader.fields()) {
    if (field === 1) list.push(readValue(reader.message(), depth));
    else reader.skip();
  }
  return list;
}

/** google.protobuf.Timestamp in microseconds since the Unix epoch; finer digits are cut off. Infinity where it is no time. */
export function readTimestamp(reader: ProtoReader): number {
  let seconds = 0;
  let nanos = 0;
  for (const field of reader.fields()) {
    if (field === 1) seconds = signed(reader);
    else if (field === 2) nanos = signed(reader);
    else reader.skip();
  }
  return nanos >= 0 && nanos < 1e9 ? seconds * 1e6 + Math.floor(nanos / 1000) : Infinity;
}

/** An int32 or int64: negative ones fill all ten bytes, and are so near 2^64 that a double alone would lose them. */
function signed(reader: ProtoReader): number {
  return Number(BigInt.asIntN(64, reader.varint64()));
}
