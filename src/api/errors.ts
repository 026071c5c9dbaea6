import { status as grpc } from '@grpc/grpc-js';
import { Refusal, type RefusalCode } from '../domain/kit/index.js';
import { AppendTooLarge, EventStoreTimeout, EventStoreUnavailable } from '../platform/eventstore/errors.js';
import { isRedisUnavailable } from '../platform/jobs/unavailable.js';
import { isPostgresUnavailable } from '../platform/postgres/unavailable.js';

/** A refusal's code, or INTERNAL for a bug of ours. */
export type WireCode = RefusalCode | 'INTERNAL';

/** The one table that says how a code reads on each wire. GraphQL says the code itself, in `extensions.code`. */
export const wireCodes: Readonly<Record<WireCode, { readonly http: number; readonly grpc: grpc; readonly title: string }>> = {
  INVALID_ARGUMENT: { http: 400, grpc: grpc.INVALID_ARGUMENT, title: 'The request is not valid' },
  OUT_OF_RANGE: { http: 400, grpc: grpc.OUT_OF_RANGE, title: 'A value is out of range' },
  FAILED_PRECONDITION: { http: 412, grpc: grpc.FAILED_PRECONDITION, title: 'The resource is not in a state that allows this' },
  UNAUTHENTICATED: { http: 401, grpc: grpc.UNAUTHENTICATED, title: 'An API key is needed' },
  PERMISSION_DENIED: { http: 403, grpc: grpc.PERMISSION_DENIED, title: 'This is not allowed' },
  NOT_FOUND: { http: 404, grpc: grpc.NOT_FOUND, title: 'It does not exist' },
  ALREADY_EXISTS: { http: 409, grpc: grpc.ALREADY_EXISTS, title: 'It exists already' },
  ABORTED: { http: 409, grpc: grpc.ABORTED, title: 'Another change came in between' },
  RESOURCE_EXHAUSTED: { http: 429, grpc: grpc.RESOURCE_EXHAUSTED, title: 'A limit is reached' },
  CANCELLED: { http: 499, grpc: grpc.CANCELLED, title: 'The caller went away' },
  UNIMPLEMENTED: { http: 501, grpc: grpc.UNIMPLEMENTED, title: 'This is not offered' },
  UNAVAILABLE: { http: 503, grpc: grpc.UNAVAILABLE, title: 'Not possible at the moment' },
  DEADLINE_EXCEEDED: { http: 504, grpc: grpc.DEADLINE_EXCEEDED, title: 'The time is up' },
  INTERNAL: { http: 500, grpc: grpc.INTERNAL, title: 'Something went wrong on our side' },
};

/** What a caller is told when something failed, on whichever wire. */
export interface Failure {
  readonly code: WireCode;
  readonly message: string;
  readonly reason?: string;
  readonly fields: readonly { readonly field: string; readonly description: string }[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads an error as a failure. What is not expected is INTERNAL and tells nothing of its insides. */
export function failureOf(error: unknown): Failure {
  const { code, message, details } = refusalOf(error) ?? internal;
  return { code, message, reason: details.reason, fields: details.fields ?? [], metadata: details.metadata ?? {} };
}

/** The refusal that an error amounts to; undefined for a bug. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof AppendTooLarge) return new Refusal('RESOURCE_EXHAUSTED', `The request is too large: one write may hold ${error.limit} bytes`, { reason: 'TOO_LARGE' });
  if (error instanceof EventStoreTimeout) return new Refusal('DEADLINE_EXCEEDED', withOutcome('The event store did not answer in time', error), { reason: 'EVENT_STORE_TIMEOUT' });
  if (error instanceof EventStoreUnavailable) return new Refusal('UNAVAILABLE', withOutcome('The event store cannot be reached', error), { reason: 'EVENT_STORE_UNAVAILABLE' });
  if (isPostgresUnavailable(error)) return new Refusal('UNAVAILABLE', 'The read models cannot be reached', { reason: 'READ_MODELS_UNAVAILABLE' });
  if (isRedisUnavailable(error)) return new Refusal('UNAVAILABLE', 'The queues of the jobs cannot be reached', { reason: 'QUEUES_UNAVAILABLE' });
  return undefined;
}

const withOutcome = (sentence: string, { outcomeUnknown }: { outcomeUnknown: boolean }): string =>
  outcomeUnknown ? `${sentence}; whether the change was made is not known, so repeat it under the same idempotency key` : sentence;

const internal = {
  code: 'INTERNAL',
  message: 'Something went wrong on our side; the log knows more under this trace id',
  details: {} as Refusal['details'],
} as const;
