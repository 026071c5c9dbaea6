import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import { AppendTooLarge, EventStoreRefused } from './errors.js';
import type { ExpectedRevision, NewEvent } from './port.js';

type ProposedMessage = BatchAppendReq.ProposedMessage;

/** A server stores no larger record, and no larger message gets through to it. */
const largestAppendBytes = 16 * 1024 * 1024;
/** One append goes out in messages of about this size, as the client's own do. */
const messageBytes = 3 * 1024 * 1024;
/** What an event takes beside its data and metadata. */
const overheadBytes = 128;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** One append as it goes over the wire, except for its correlation id: that belongs to an attempt. */
export interface AppendMessage {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
  readonly parts: readonly ProposedMessage[][];
}

/**
 * Encodes an append. What the server could not take is refused here: it would not only refuse this one,
 * it would break off the call that all appends share.
 */
export function appendMessage(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): AppendMessage {
  if (stream === '') throw new EventStoreRefused('An append needs a stream to go to');
  if (events.length === 0) throw new EventStoreRefused(`An append to ${stream} needs at least one event`);
  const parts: ProposedMessage[][] = [[]];
  let total = 0;
  let inPart = 0;
  for (const event of events) {
    const { message, bytes } = proposedMessage(event);
    total += bytes;
    if (total > largestAppendBytes) throw new AppendTooLarge(largestAppendBytes);
    if (inPart > 0 && inPart + bytes > messageBytes) {
      parts.push([]);
      inPart = 0;
    }
    inPart += bytes;
    parts.at(-1)!.push(message);
  }
  return { stream, expected, events, parts };
}

/** The requests of one attempt; only the first carries the options, only the last is final. */
export function* requestsOf({ stream, expected, parts }: AppendMessage, correlationId: string): Generator<BatchAppendReq> {
  for (const [index, part] of parts.entries()) {
    const request = new streams.BatchAppendReq();
    request.setCorrelationId(uuidOf(correlationId));
    if (index === 0) request.setOptions(optionsOf(stream, expected));
    request.setProposedMessagesList(part);
    request.setIsFinal(index === parts.length - 1);
    yield request;
  }
}

function proposedMessage(event: NewEvent): { message: ProposedMessage; bytes: number } {
  if (!uuid.test(event.id)) throw new EventStoreRefused(`An event's id must be a UUID, not "${event.id}"`);
  if (event.type === '') throw new EventStoreRefused('An event needs a type');
  const data = jsonBytes(event.data, event);
  const metadata = jsonBytes(event.metadata, event);
  const message = new streams.BatchAppendReq.ProposedMessage();
  message.setId(uuidOf(event.id));
  message.getMetadataMap().set('type', event.type).set('content-type', 'application/json');
  message.setData(data);
  message.setCustomMetadata(metadata);
  return { message, bytes: data.length + metadata.length + overheadBytes };
}

function jsonBytes(value: unknown, { type }: NewEvent): Buffer {
  const text = JSON.stringify(value);
  if (text === undefined) throw new EventStoreRefused(`The event ${type} has a part that is no JSON`);
  return Buffer.from(text, 'utf8');
}

function optionsOf(stream: string, expected: ExpectedRevision): BatchAppendReq.Options {
  const options = new streams.BatchAppendReq.Options();
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream, 'utf8'));
  options.setStreamIdentifier(identifier);
  options.setDeadline(farDeadline());
  switch (expected) {
    case 'any':
      options.setAny(new empty.Empty());
      break;
    case 'none':
      options.setNoStream(new empty.Empty());
      break;
    case 'exists':
      options.setStreamExists(new empty.Empty());
      break;
    default:
      options.setStreamPosition(expected.toString());
  }
  return options;
}

/**
 * The protocol's deadline is a time of day. An hour keeps a server whose clock runs ahead from refusing every
 * append; it has a timeout of its own, and the caller's is kept by the port.
 */
function farDeadline(): InstanceType<typeof timestamps.Timestamp> {
  return timestamps.Timestamp.fromDate(new Date(Date.now() + 3_600_000));
}

function uuidOf(text: string): InstanceType<typeof shared.UUID> {
  const id = new shared.UUID();
  id.setString(text);
  return id;
}
