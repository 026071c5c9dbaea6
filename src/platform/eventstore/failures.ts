import * as client from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { AccessDenied, AppendTooLarge, EventStoreError, EventStoreRefused, EventStoreTimeout, EventStoreUnavailable, StreamDeleted, WrongExpectedRevision } from './errors.js';
import type { ExpectedRevision } from './port.js';

/** What was asked when it failed; `changes` if it may have reached the server and changed something there. */
export interface Asked {
  readonly what: string;
  readonly stream?: string;
  readonly expected?: ExpectedRevision;
  readonly changes?: boolean;
}

/** The port's error for whatever the client, gRPC or the network threw. */
export function failureOf(thrown: unknown, asked: Asked): EventStoreError {
  if (thrown instanceof EventStoreError) return thrown;
  if (!(thrown instanceof Error)) return new EventStoreUnavailable(`${asked.what} failed: ${String(thrown)}`);
  const error = asClientError(thrown);
  if (error instanceof client.WrongExpectedVersionError) {
    return new WrongExpectedRevision(asked.stream ?? error.streamName, asked.expected ?? 'any', actualOf(error.actualVersion));
  }
  if (error instanceof client.StreamDeletedError) return new StreamDeleted(asked.stream ?? error.streamName);
  if (error instanceof client.AccessDeniedError || codeOf(error) === status.PERMISSION_DENIED) return new AccessDenied({ cause: error });
  if (error instanceof client.MaxAppendSizeExceededError) return new AppendTooLarge(error.maxAppendSize);

  const outcomeUnknown = (asked.changes ?? false) && !neverLeft(error);
  const message = `${asked.what} failed: ${error.message}`;
  if (error instanceof client.DeadlineExceededError || error instanceof client.TimeoutError) {
    return new EventStoreTimeout(message, { cause: error, outcomeUnknown });
  }
  if (error instanceof client.InvalidArgumentError || refusals.has(codeOf(error))) return new EventStoreRefused(message, { cause: error });
  return new EventStoreUnavailable(message, { cause: error, outcomeUnknown });
}

/** Whether asking again may help; the rest is an answer. */
export function isPassing(error: EventStoreError): error is EventStoreUnavailable | EventStoreTimeout {
  return error instanceof EventStoreUnavailable || error instanceof EventStoreTimeout;
}

const refusals = new Set<number | undefined>([status.INVALID_ARGUMENT, status.UNIMPLEMENTED, status.OUT_OF_RANGE, status.FAILED_PRECONDITION]);

/** The client's error for one of gRPC. Its conversion throws where a server leaves out a trailer it counts on. */
function asClientError(error: Error): Error {
  try {
    return client.convertToCommandError(error);
  } catch (conversion) {
    if (conversion instanceof TypeError) return error;
    throw conversion;
  }
}

function codeOf(error: Error): number | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

/** gRPC says so when a call failed before any connection took it. */
function neverLeft(error: Error): boolean {
  return /No connection established|Name resolution failed|Failed to discover/.test(error.message);
}

function actualOf(version: unknown): bigint | 'none' {
  return typeof version === 'bigint' && version >= 0n ? version : 'none';
}
