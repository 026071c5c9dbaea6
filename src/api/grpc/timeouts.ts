import { status, type ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { Refusal } from '../../domain/kit/index.js';
import { grpcError } from './status.js';

/** grpc-js answers INTERNAL to a grpc-timeout that is none, which is the caller's mistake. */
export const timeouts: ServerInterceptor = (_method, call) => {
  const sendStatus = call.sendStatus.bind(call);
  call.sendStatus = (sent) => sendStatus(isPoorTimeout(sent) ? { ...grpcError(new Refusal('INVALID_ARGUMENT', sent.details!, { reason: 'INVALID_HEADER' }), '') } : sent);
  return call as ServerInterceptingCall;
};

const isPoorTimeout = ({ code, details }: { code?: status | null; details?: string | null }): boolean => code === status.INTERNAL && details?.startsWith('Invalid grpc-timeout') === true;
