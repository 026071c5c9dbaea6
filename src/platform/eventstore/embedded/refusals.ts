import { Metadata, status } from '@grpc/grpc-js';
import { TOMBSTONE_REVISION } from './wire/recorded-event.js';
import type { Expectation } from './store/expectation.js';

/** An answer that is not a success: a gRPC status and the trailers from which the client makes its typed error. */
export class Refusal extends Error {
  readonly metadata = new Metadata();

  constructor(
    readonly code: status,
    readonly details: string,
    trailers: Record<string, string> = {},
  ) {
    super(details);
    this.name = 'Refusal';
    for (const [key, value] of Object.entries(trailers)) this.metadata.set(key, ascii(value));
  }
}

/** Trailers hold ASCII only; anything else is percent-encoded. */
const ascii = (value: string): string => (/^[ -~]*$/.test(value) ? value : encodeURIComponent(value));

export const streamDeleted = (stream: string): Refusal =>
  new Refusal(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, { exception: 'stream-deleted', 'stream-name': stream });

export const wrongExpectedVersion = (stream: string, expected: Expectation, actual: number): Refusal =>
  new Refusal(status.FAILED_PRECONDITION, `Append failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${versionOf(expected)}, Actual version: ${actual}`, {
    exception: 'wrong-expected-version',
    'stream-name': stream,
    'expected-version': versionOf(expected),
    'actual-version': String(actual),
  });

export const maximumAppendSizeExceeded = (limit: number): Refusal =>
  new Refusal(status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, { exception: 'maximum-append-size-exceeded', 'maximum-append-size': String(limit) });

export const missingMetadataProperty = (): Refusal =>
  new Refusal(status.INVALID_ARGUMENT, 'Required Metadata Property missing.', {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });

export const accessDenied = (): Refusal => new Refusal(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });

export const unauthenticated = (): Refusal => new Refusal(status.UNAUTHENTICATED, 'The user is not known by this password.');

/** Streams of these names cannot be written: nothing, and the metadata of nothing. */
export const isStreamName = (name: string): boolean => name !== '' && name !== '$$';

export const invalidStreamName = (name: string): Refusal => new Refusal(status.INVALID_ARGUMENT, `"${name}" is not the name of a stream.`);

export const invalidArgument = (details: string): Refusal => new Refusal(status.INVALID_ARGUMENT, details);

export const eventDamaged = (position: number): Refusal => new Refusal(status.DATA_LOSS, `The event at position ${position} does not match its checksum: the data file is damaged.`);

export const blockDamaged = (position: number): Refusal => new Refusal(status.DATA_LOSS, `The block of events at position ${position} does not match its checksum: the data file is damaged.`);

export const journalDamaged = (what: string): Refusal => new Refusal(status.DATA_LOSS, `In the journal, ${what}.`);

export const stopping = (): Refusal => new Refusal(status.CANCELLED, 'The server is stopping.');

interface GroupName {
  readonly source: string;
  readonly name: string;
}

const groupTrailers = (exception: string, { source, name }: GroupName) => ({ exception, 'stream-name': source, 'group-name': name });

export const groupDoesNotExist = (group: GroupName): Refusal =>
  new Refusal(status.NOT_FOUND, `Subscription group ${group.name} on stream ${group.source} does not exist.`, groupTrailers('persistent-subscription-does-not-exist', group));

export const groupExists = (group: GroupName): Refusal =>
  new Refusal(status.ALREADY_EXISTS, `Subscription group ${group.name} on stream ${group.source} exists.`, groupTrailers('persistent-subscription-exists', group));

export const groupFailed = (group: GroupName, reason: string): Refusal =>
  new Refusal(status.INTERNAL, `Subscription group ${group.name} on stream ${group.source} failed: '${reason}'`, { ...groupTrailers('persistent-subscription-failed', group), reason });

export const groupDropped = (group: GroupName): Refusal =>
  new Refusal(status.CANCELLED, `Subscription group ${group.name} on stream ${group.source} was dropped.`, groupTrailers('persistent-subscription-dropped', group));

export const maximumSubscribersReached = (group: GroupName): Refusal =>
  new Refusal(status.FAILED_PRECONDITION, `Maximum subscriptions reached for subscription group ${group.name} on stream ${group.source}.`, groupTrailers('maximum-subscribers-reached', group));

/** An expectation as the trailers name it. */
function versionOf(expected: Expectation): string {
  switch (expected) {
    case 'any':
      return '-2';
    case 'none':
      return '-1';
    case 'exists':
      return '-4';
    default:
      return expected >= TOMBSTONE_REVISION ? '9223372036854775807' : String(expected);
  }
}
