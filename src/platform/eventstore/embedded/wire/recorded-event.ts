import { bytesField, tag, varintSize, writeVarint } from '../../protobuf.js';
import { FRAME_HEADER, writeFrameHeader } from './framed.js';
import { STRING_UUID_SIZE } from '../../uuid.js';

/** An event as a writer proposes it. All bytes are views into the request. */
export interface ProposedEvent {
  readonly id: string;
  readonly type: Buffer;
  readonly isJson: boolean;
  readonly metadata: Buffer;
  readonly data: Buffer;
}

/** The last revision there can be; a tombstone stands on it. As a double it is 2^63. */
export const TOMBSTONE_REVISION = 2 ** 63;

/** What an event without data or metadata carries. */
export const NO_BYTES: Buffer = Buffer.alloc(0);
const TYPE_KEY = stringKey('type');
const JSON_ENTRY = mapEntry('content-type', 'application/json');
const BINARY_ENTRY = mapEntry('content-type', 'application/octet-stream');
const MAX_REVISION = Buffer.from('ffffffffffffffff7f', 'hex');

/** Where the parts of one encoded event are, relative to its frame. */
export interface Encoded {
  /** Offset behind the frame. */
  end: number;
  /** Offset of the length of the event's type. */
  typeAt: number;
}

/** `created` as it stands in an event's metadata map: .NET ticks since the Unix epoch. */
export const createdEntry = (epochMs: number): Buffer => mapEntry('created', `${epochMs}0000`);

/**
 * Writes one event as it is sent to readers: a framed `ReadResp { event: ReadEvent { event: RecordedEvent,
 * commit_position } }`, the id in text form. What is stored is what is sent.
 */
export function encodeRecordedEvent(
  target: Buffer,
  start: number,
  event: ProposedEvent,
  stream: Buffer,
  revision: number,
  position: number,
  created: Buffer,
): Encoded {
  const sizes = sizesOf(event, stream, revision, position, created);
  let at = writeFrameHeader(target, start, sizes.reply);
  target[at++] = tag(1, 2);
  at = writeVarint(target, at, sizes.readEvent);
  target[at++] = tag(1, 2);
  at = writeVarint(target, at, sizes.recorded);

  target[at++] = tag(1, 2);
  target[at++] = STRING_UUID_SIZE;
  target[at++] = tag(2, 2);
  target[at++] = 36;
  at += target.write(event.id, at, 36, 'latin1');

  target[at++] = tag(2, 2);
  at = writeVarint(target, at, 1 + varintSize(stream.length) + stream.length);
  target[at++] = tag(3, 2);
  at = writeBytes(target, at, stream);

  target[at++] = tag(3, 0);
  if (revision < TOMBSTONE_REVISION) at = writeVarint(target, at, revision);
  else at += MAX_REVISION.copy(target, at);
  target[at++] = tag(4, 0);
  at = writeVarint(target, at, position);
  target[at++] = tag(5, 0);
  at = writeVarint(target, at, position);

  target[at++] = tag(6, 2);
  at = writeVarint(target, at, TYPE_KEY.length + 1 + varintSize(event.type.length) + event.type.length);
  at += TYPE_KEY.copy(target, at);
  target[at++] = tag(2, 2);
  const typeAt = at - start;
  at = writeBytes(target, at, event.type);
  at += (event.isJson ? JSON_ENTRY : BINARY_ENTRY).copy(target, at);
  at += created.copy(target, at);

  target[at++] = tag(7, 2);
  at = writeBytes(target, at, event.metadata);
  target[at++] = tag(8, 2);
  at = writeBytes(target, at, event.data);

  target[at++] = tag(3, 0);
  at = writeVarint(target, at, position);
  return { end: at, typeAt };
}

/** Bytes that `encodeRecordedEvent` writes for an event at most, whatever its revision and position. */
export function encodedSizeBound(event: ProposedEvent, stream: Buffer): number {
  return FRAME_HEADER + 256 + stream.length + event.type.length + event.metadata.length + event.data.length;
}

function sizesOf(event: ProposedEvent, stream: Buffer, revision: number, position: number, created: Buffer) {
  const name = 1 + varintSize(stream.length) + stream.length;
  const type = TYPE_KEY.length + 1 + varintSize(event.type.length) + event.type.length;
  const positionSize = 1 + varintSize(position);
  const recorded =
    (2 + STRING_UUID_SIZE) +
    (1 + varintSize(name) + name) +
    (1 + (revision < TOMBSTONE_REVISION ? varintSize(revision) : MAX_REVISION.length)) +
    2 * positionSize +
    (1 + varintSize(type) + type) +
    (event.isJson ? JSON_ENTRY : BINARY_ENTRY).length +
    created.length +
    (1 + varintSize(event.metadata.length) + event.metadata.length) +
    (1 + varintSize(event.data.length) + event.data.length);
  const readEvent = 1 + varintSize(recorded) + recorded + positionSize;
  return { recorded, readEvent, reply: 1 + varintSize(readEvent) + readEvent };
}

function writeBytes(target: Buffer, at: number, bytes: Buffer): number {
  at = writeVarint(target, at, bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}

function stringKey(key: string): Buffer {
  return bytesField(1, Buffer.from(key));
}

function mapEntry(key: string, value: string): Buffer {
  return bytesField(6, Buffer.concat([stringKey(key), bytesField(2, Buffer.from(value))]));
}
