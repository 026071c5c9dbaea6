import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';

/** What grpc-js keeps to itself of a call; a test says when a release has changed it. */
interface BaseCall {
  readonly stream: Readable;
}

/**
 * Node makes every Writable with a function that V8 puts among the old objects at once (`onwrite`, because it is assigned
 * to a property), and that function holds the Writable. So each one outlives every collection of young objects, with all
 * that hangs from it, and becomes old itself. A call has two of them: its HTTP/2 stream and the object that handlers get.
 * Here the first lets go of the call once it is over.
 */
export const letGoWhenClosed: ServerInterceptor = (_method, call) => {
  (call as unknown as BaseCall).stream.once('close', letGoOfCall);
  return call as ServerInterceptingCall;
};

function letGoOfCall(this: Readable): void {
  // Where it was never read to its end, somebody may still wait for that.
  if (this.readableEnded) this.removeAllListeners('data').removeAllListeners('end');
}

/** The second lets go of its request once a unary call is answered. */
export function letGoOfRequest(call: EventEmitter): void {
  call.removeAllListeners();
  Object.assign(call, nothing);
}

const nothing = { request: undefined, metadata: undefined, call: undefined };
