import { status, type ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { Refusal } from '../../domain/kit/index.js';
import { grpcError } from './status.js';

type Call = Parameters<ServerInterceptor>[1];

/** What the calls of grpc-js inherit from, once it is corrected: all calls share it, so that none of them pays. */
const corrected = new WeakSet<object>();

/** grpc-js answers INTERNAL to a grpc-timeout that is none, which is the caller's mistake. */
export const timeouts: ServerInterceptor = (_method, call) => {
  const shared = Object.getPrototypeOf(call) as Call;
  if (!corrected.has(shared)) correct(shared);
  return call as ServerInterceptingCall;
};

function correct(shared: Call): void {
  const { sendStatus } = shared;
  shared.sendStatus = function (sent) {
    const isPoor = sent.code === status.INTERNAL && sent.details?.startsWith('Invalid grpc-timeout') === true;
    sendStatus.call(this, isPoor ? { ...grpcError(new Refusal('INVALID_ARGUMENT', sent.details!, { reason: 'INVALID_HEADER' }), '') } : sent);
  };
  corrected.add(shared);
}
