import { status } from '@grpc/grpc-js';
import type { Expectation } from '../store/expectation.js';
import type { WriteOutcome } from '../store/event-store.js';
import { FRAME_HEADER, frame, writeFrameHeader } from './framed.js';
import { ProtoReader, bytesField, message, stringField, tag, varintField, varintSize, writeVarint } from '../../protobuf.js';
import { structuredUuid } from '../../uuid.js';

const NOTHING = Buffer.alloc(0);
const flag = (field: number): Buffer => bytesField(field, NOTHING);

/** `StreamIdentifier` with this name, as a field. */
export const identifierField = (field: number, name: string): Buffer => bytesField(field, bytesField(3, Buffer.from(name)));

const position = (value: number): Buffer => message(varintField(1, value), varintField(2, value));

// Streams.Read

export const confirmation = (id: string): Buffer => frame(bytesField(2, stringField(1, id)));
export const checkpoint = (at: number): Buffer => frame(bytesField(3, position(at)));
export const streamNotFound = (name: string): Buffer => frame(bytesField(4, identifierField(1, name)));
export const caughtUp = (): Buffer => frame(flag(8));

/** The messages inside a framed `ReadResp` with an event. */
export function openReadEvent(framed: Buffer): { recorded: Buffer; position: Buffer } {
  const reply = new ProtoReader(framed, FRAME_HEADER);
  reply.next();
  const readEvent = reply.message();
  readEvent.next();
  const recorded = readEvent.slice();
  return { recorded, position: framed.subarray(readEvent.at, readEvent.end) };
}

/** The `ReadEvent` in a framed `ReadResp`. */
export function readEventOf(framed: Buffer): Buffer {
  const reply = new ProtoReader(framed, FRAME_HEADER);
  reply.next();
  return reply.slice();
}

/** A framed `ReadResp` with a link and the event it leads to; `event` is undefined when that is not readable. */
export function linkedEvent(event: Buffer | undefined, link: Buffer): Buffer {
  const { recorded, position: at } = openReadEvent(link);
  const target = event === undefined ? NOTHING : bytesField(1, openReadEvent(event).recorded);
  return frame(bytesField(1, message(target, bytesField(2, recorded), at)));
}

/** The same framed `ReadResp` with ids in their structured form. */
export function withStructuredIds(framed: Buffer): Buffer {
  const reply = new ProtoReader(framed, FRAME_HEADER);
  reply.next();
  const readEvent = reply.message();
  const parts: Buffer[] = [];
  while (readEvent.next()) {
    const { at, field } = readEvent;
    if (field <= 2) parts.push(bytesField(field, structured(readEvent.slice())));
    else {
      readEvent.skip();
      parts.push(framed.subarray(at - 1, readEvent.at));
    }
  }
  return frame(bytesField(1, message(...parts)));
}

/** The id is always the first field of a stored event, 40 bytes with its tags. */
function structured(recorded: Buffer): Buffer {
  return message(bytesField(1, structuredUuid(recorded.toString('latin1', 4, 40))), recorded.subarray(40));
}

// Streams.Append, Delete, Tombstone

/** `AppendResp` of an append that was written or expected another version. */
export function appendReply(outcome: Extract<WriteOutcome, { kind: 'written' | 'wrong-version' }>, expected: Expectation): Buffer {
  if (outcome.kind === 'wrong-version') {
    const current = (revision: number, none: number) => (outcome.actual < 0 ? flag(none) : varintField(revision, outcome.actual));
    return bytesField(2, message(current(1, 2), expectedField(expected, 3, 4, 5, undefined), current(6, 7), expectedField(expected, 8, 9, 10, 11)));
  }
  return bytesField(1, successFields(outcome));
}

/** `DeleteResp` and `TombstoneResp`. */
export const deleteReply = (at: number): Buffer => bytesField(1, position(at));

function successFields({ revision, position: at }: { revision: number; position: number | undefined }): Buffer {
  return message(revision < 0 ? flag(2) : varintField(1, revision), at === undefined ? flag(4) : bytesField(3, position(at)));
}

function expectedField(expected: Expectation, revision: number, any: number, exists: number, none: number | undefined): Buffer {
  switch (expected) {
    case 'any':
      return flag(any);
    case 'exists':
      return flag(exists);
    case 'none':
      return none === undefined ? NOTHING : flag(none);
    default:
      return varintField(revision, expected);
  }
}

// Streams.BatchAppend

/**
 * A framed `BatchAppendResp` for an append that was written: `{ correlation_id 1, success 3 { current_revision 1,
 * position 3 { commit 1, prepare 2 } }, stream_identifier 4 { stream_name 3 } }`, in one allocation.
 */
export function batchSuccess(correlation: Buffer, stream: string, outcome: { revision: number; position: number | undefined }): Buffer {
  const { revision, position: at } = outcome;
  if (revision < 0 || at === undefined) return frame(message(bytesField(1, correlation), bytesField(3, successFields(outcome)), identifierField(4, stream)));
  const name = Buffer.byteLength(stream);
  const places = 2 * (1 + varintSize(at));
  const success = 1 + varintSize(revision) + 2 + places;
  const identifier = 1 + varintSize(name) + name;
  const size = 1 + varintSize(correlation.length) + correlation.length + 2 + success + 1 + varintSize(identifier) + identifier;
  const out = Buffer.allocUnsafe(FRAME_HEADER + size);
  let to = writeFrameHeader(out, 0, size);
  out[to++] = tag(1, 2);
  to = writeVarint(out, to, correlation.length);
  to += correlation.copy(out, to);
  out[to++] = tag(3, 2);
  out[to++] = success;
  out[to++] = tag(1, 0);
  to = writeVarint(out, to, revision);
  out[to++] = tag(3, 2);
  out[to++] = places;
  out[to++] = tag(1, 0);
  to = writeVarint(out, to, at);
  out[to++] = tag(2, 0);
  to = writeVarint(out, to, at);
  out[to++] = tag(4, 2);
  to = writeVarint(out, to, identifier);
  out[to++] = tag(3, 2);
  to = writeVarint(out, to, name);
  out.write(stream, to, 'utf8');
  return out;
}

/** Why one append of a batch stream was refused. */
export type BatchProblem =
  | { readonly kind: 'wrong-version'; readonly actual: number; readonly expected: Expectation }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'access-denied' }
  | { readonly kind: 'too-large'; readonly limit: number }
  | { readonly kind: 'bad-request'; readonly reason: string }
  | { readonly kind: 'no-room'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** A framed `BatchAppendResp` for an append that was refused. */
export function batchFailure(correlation: Buffer, stream: string, problem: BatchProblem): Buffer {
  const { code, text, detail, type } = describe(problem, stream);
  const any = message(stringField(1, `type.googleapis.com/event_store.client.${type}`), bytesField(2, detail));
  const error = message(varintField(1, code), stringField(2, text), bytesField(3, any));
  return frame(message(bytesField(1, correlation), bytesField(2, error), identifierField(4, stream)));
}

function describe(problem: BatchProblem, stream: string): { code: status; text: string; type: string; detail: Buffer } {
  switch (problem.kind) {
    case 'wrong-version':
      return {
        code: status.ALREADY_EXISTS,
        text: 'Wrong expected version.',
        type: 'WrongExpectedVersion',
        detail: message(problem.actual < 0 ? flag(2) : varintField(1, problem.actual), expectedField(problem.expected, 3, 4, 5, 6)),
      };
    case 'deleted':
      return { code: status.NOT_FOUND, text: 'Stream deleted.', type: 'StreamDeleted', detail: identifierField(1, stream) };
    case 'timeout':
      return { code: status.DEADLINE_EXCEEDED, text: 'Timeout.', type: 'Timeout', detail: NOTHING };
    case 'access-denied':
      return { code: status.PERMISSION_DENIED, text: 'Access denied.', type: 'AccessDenied', detail: NOTHING };
    case 'too-large':
      return { code: status.INVALID_ARGUMENT, text: `Maximum append size of ${problem.limit} exceeded.`, type: 'MaximumAppendSizeExceeded', detail: varintField(1, problem.limit) };
    case 'bad-request':
      return { code: status.INVALID_ARGUMENT, text: problem.reason, type: 'BadRequest', detail: stringField(1, problem.reason) };
    // A type that clients do not know: of those, and only of those, they show the text.
    case 'no-room':
      return { code: status.RESOURCE_EXHAUSTED, text: problem.reason, type: 'NoRoom', detail: NOTHING };
    case 'unknown':
      return { code: status.UNKNOWN, text: problem.reason, type: 'Unknown', detail: NOTHING };
  }
}
