import type { sendUnaryData } from '@grpc/grpc-js';
import type { Observer } from '../observer.js';
import type { WireContext } from '../operations.js';
import { grpcContext, sendVersion, type UnaryCall } from './call.js';

/** The handler of a hand-written unary rpc; the guard says its errors in gRPC's words. */
export function unary<Request, Reply extends object>(observer: Observer, name: string, answer: (message: Request, context: WireContext) => Promise<Reply>) {
  return async (call: UnaryCall<Request>, callback: sendUnaryData<Reply>): Promise<void> => {
    const reply = await observer.observe('grpc', name, grpcContext(call), (traced) => answer(call.request, traced));
    sendVersion(call, reply);
    callback(null, reply);
  };
}
