import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { status } from '@grpc/grpc-js';
import { AccessDenied, AppendTooLarge, EventStoreRefused, EventStoreTimeout, EventStoreUnavailable, StreamDeleted, WrongExpectedRevision, type EventStoreError } from './errors.js';
import type { AppendResult, ExpectedRevision } from './port.js';

/** What was appended, as far as an answer needs it. */
export interface Appended {
  readonly stream: string;
  readonly expected: ExpectedRevision;
}

/** Where an append ended; throws why it did not happen. */
export function answerOf(response: BatchAppendResp, append: Appended): AppendResult {
  const success = response.getSuccess();
  if (success) {
    const position = success.getPosition();
    return {
      revision: BigInt(success.getCurrentRevision()),
      position: { commit: BigInt(position?.getCommitPosition() ?? 0), prepare: BigInt(position?.getPreparePosition() ?? 0) },
    };
  }
  throw refusalOf(response, append);
}

function refusalOf(response: BatchAppendResp, append: Appended): EventStoreError {
  const error = response.getError();
  const details = error?.getDetails();
  const name = details?.getTypeName().replace('event_store.client.', '');
  const message = `Appending to ${append.stream} failed: ${error?.getMessage() || name || 'the event store gave no reason'}`;
  switch (name) {
    case 'WrongExpectedVersion': {
      const wrong = shared.WrongExpectedVersion.deserializeBinary(details!.getValue_asU8());
      const actual = wrong.hasCurrentStreamRevision() ? BigInt(wrong.getCurrentStreamRevision()) : 'none';
      return new WrongExpectedRevision(append.stream, append.expected, actual);
    }
    case 'StreamDeleted':
      return new StreamDeleted(append.stream);
    case 'AccessDenied':
      return new AccessDenied();
    case 'MaximumAppendSizeExceeded':
      return new AppendTooLarge(shared.MaximumAppendSizeExceeded.deserializeBinary(details!.getValue_asU8()).getMaxappendsize());
    case 'Timeout':
      return new EventStoreTimeout(message, { outcomeUnknown: true });
    default:
      if (refusals.has(error?.getCode() as number | undefined)) return new EventStoreRefused(message);
      return new EventStoreUnavailable(message, { outcomeUnknown: true });
  }
}

const refusals = new Set<number | undefined>([status.INVALID_ARGUMENT, status.FAILED_PRECONDITION, status.UNIMPLEMENTED]);
