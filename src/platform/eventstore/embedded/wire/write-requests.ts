import { missingMetadataProperty } from '../refusals.js';
import type { Expectation } from '../store/expectation.js';
import { ProtoReader } from '../../protobuf.js';
import { NO_BYTES, type ProposedEvent } from './recorded-event.js';
import { optionsOf, readIdentifier } from './requests.js';
import { readUuid } from '../../uuid.js';

/** The stream and the expectation with which an append, a delete or a tombstone begins. */
export interface WriteTarget {
  readonly stream: string;
  readonly expected: Expectation;
}

/** `DeleteReq` and `TombstoneReq`. */
export const decodeDeleteRequest = (bytes: Buffer): WriteTarget => readTarget(optionsOf(bytes));

/** One message of an `Append` call: first the options, then an event each. */
export type AppendMessage = { readonly target: WriteTarget } | { readonly event: ProposedEvent };

export function decodeAppendRequest(bytes: Buffer): AppendMessage {
  const reader = new ProtoReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) return { target: readTarget(reader.message()) };
    if (reader.field === 2) return { event: readProposedEvent(reader.message()) };
    reader.skip();
  }
  return { target: readTarget(undefined) };
}

/** One message of a `BatchAppend` call. An append may come in several, of which the last is final. */
export interface BatchMessage {
  /** The UUID message as it came: it goes back as it is. */
  readonly correlation: Buffer;
  readonly target: (WriteTarget & { readonly deadlineMs: number | undefined }) | undefined;
  readonly events: ProposedEvent[];
  readonly isFinal: boolean;
}

export function decodeBatchRequest(bytes: Buffer): BatchMessage {
  const reader = new ProtoReader(bytes);
  let correlation = NO_BYTES;
  let target: BatchMessage['target'];
  let isFinal = false;
  const events: ProposedEvent[] = [];
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        correlation = reader.slice();
        break;
      case 2: {
        const options = reader.message();
        const { at } = options;
        target = readTarget(options);
        target = { ...target, deadlineMs: readDeadline(new ProtoReader(bytes, at, options.end)) };
        break;
      }
      case 3:
        events.push(readProposedEvent(reader.message()));
        break;
      case 4:
        isFinal = reader.bool();
        break;
      default:
        reader.skip();
    }
  }
  return { correlation, target, events, isFinal };
}

/** Identifier 1, then one of revision 2, no stream 3, any 4, stream exists 5. Nothing set means revision 0, as in proto3. */
function readTarget(reader: ProtoReader | undefined): { stream: string; expected: Expectation; deadlineMs: undefined } {
  let stream = '';
  let expected: Expectation = 0;
  while (reader?.next()) {
    switch (reader.field) {
      case 1:
        stream = readIdentifier(reader.message());
        break;
      case 2:
        expected = reader.varint();
        break;
      case 3:
      case 4:
      case 5:
        expected = reader.field === 3 ? 'none' : reader.field === 4 ? 'any' : 'exists';
        reader.skip();
        break;
      default:
        reader.skip();
    }
  }
  return { stream, expected, deadlineMs: undefined };
}

/** `deadline_21_10_0` is a timestamp, `deadline` a duration from now. */
function readDeadline(reader: ProtoReader): number | undefined {
  let deadline: number | undefined;
  while (reader.next()) {
    if (reader.field === 6) deadline = readSeconds(reader.message());
    else if (reader.field === 7) deadline = Date.now() + readSeconds(reader.message());
    else reader.skip();
  }
  return deadline;
}

function readSeconds(reader: ProtoReader): number {
  let ms = 0;
  while (reader.next()) {
    if (reader.field === 1) ms += reader.int() * 1000;
    else if (reader.field === 2) ms += reader.int() / 1e6;
    else reader.skip();
  }
  return ms;
}

function readProposedEvent(reader: ProtoReader): ProposedEvent {
  let id = '';
  let type: Buffer | undefined;
  let contentType: string | undefined;
  let metadata = NO_BYTES;
  let data = NO_BYTES;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        id = readUuid(reader.message());
        break;
      case 2: {
        const entry = reader.message();
        let key = '';
        let value = NO_BYTES;
        while (entry.next()) {
          if (entry.field === 1) key = entry.text();
          else if (entry.field === 2) value = entry.slice();
          else entry.skip();
        }
        if (key === 'type') type = value;
        else if (key === 'content-type') contentType = value.toString('latin1');
        break;
      }
      case 3:
        metadata = reader.slice();
        break;
      case 4:
        data = reader.slice();
        break;
      default:
        reader.skip();
    }
  }
  if (id === '') throw new RangeError('an event without an id');
  if (type === undefined || contentType === undefined) throw missingMetadataProperty();
  return { id, type, isJson: contentType === 'application/json', metadata, data };
}
