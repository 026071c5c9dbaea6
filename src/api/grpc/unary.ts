import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { traceIdOf } from '../context.js';
import type { Observer } from '../observer.js';
import type { WireContext } from '../operations.js';
import { visitorOf } from '../visitors.js';
import { grpcContext, sendVersion } from './call.js';
import { grpcError } from './status.js';

/** The handler of a hand-written unary rpc. */
export function unary<Request, Reply extends object>(observer: Observer, name: string, answer: (message: Request, context: WireContext) => Promise<Reply>) {
  return async (call: ServerUnaryCall<Request, Reply>, callback: sendUnaryData<Reply>): Promise<void> => {
    try {
      const reply = await observer.observe('grpc', name, grpcContext(call), (traced) => answer(call.request, traced));
      sendVersion(call, reply);
      callback(null, reply);
    } catch (error) {
      callback(grpcError(error, traceIdOf(visitorOf(call.metadata).traceparent)));
    }
  };
}
