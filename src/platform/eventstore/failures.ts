import * as client from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { AccessDenied, AppendTooLarge, EventStoreError, EventStoreRefused, EventStoreTimeout, EventStoreUnavailable, StreamDeleted, WrongExpectedRevision } from './errors.js';
import type { ExpectedRevision } from './port.js';

/** What was asked when it failed. `written` says whether the request may have reached the server and changed something. */
export interface Asked {
  readonly what: string;
  readonly stream?: string;
  readonly expected?: ExpectedRevision;
  readonly changes?: boolean;
}

/** The port's error for whatever the client, gRPC or the network threw. */
export function failureOf(error: unknown, asked: Asked): EventStoreError {
  if (error instanceof EventStoreError) return error;
  if (!(error instanceof Error)) return new EventStoreUnavailable(`${asked.what} failed: ${String(error)}`);
  if (error instanceof client.WrongExpectedVersionError) {
    return new WrongExpectedRevision(asked.stream ?? error.streamName, asked.expected ?? 'any', actualOf(error.actualVersion));
  }
  if (error instanceof client.StreamDeletedError) return new StreamDeleted(asked.stream ?? error.streamName);
  if (error instanceof client.AccessDeniedError) return new AccessDenied({ cause: error });
  if (error instanceof client.MaxAppendSizeExceededError) return new AppendTooLarge(error.maxAppendSize);

  const outcomeUnknown = (asked.changes ?? false) && !neverLeft(error);
  const message = `${asked.what} failed: ${error.message}`;
  if (error instanceof client.DeadlineExceededError || error instanceof client.TimeoutError) {
    return new EventStoreTimeout(message, { cause: error, outcomeUnknown });
  }
  if (refusals.has(codeOf(error))) return new EventStoreRefused(message, { cause: error });
  return new EventStoreUnavailable(message, { cause: error, outcomeUnknown });
}

/** Whether asking again may help; the rest is an answer. */
export function isPassing(error: EventStoreError): error is EventStoreUnavailable | EventStoreTimeout {
  return error instanceof EventStoreUnavailable || error instanceof EventStoreTimeout;
}

const refusals = new Set<number | undefined>([status.INVALID_ARGUMENT, status.UNIMPLEMENTED, status.OUT_OF_RANGE, status.FAILED_PRECONDITION]);

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
