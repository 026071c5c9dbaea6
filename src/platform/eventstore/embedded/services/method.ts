import type { MethodDefinition } from '@grpc/grpc-js';
import type { FramedMessages } from '../wire/framed.js';

/** How a hand-coded method reads its requests and whether either side streams. Replies are bytes already. */
export interface MethodShape<Request> {
  readonly request: (bytes: Buffer) => Request;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}

/** A method whose handler is given decoded requests and gives encoded replies. */
export function method<Request>(path: string, shape: MethodShape<Request>): MethodDefinition<Request, Buffer | FramedMessages> {
  return {
    path,
    requestStream: shape.requestStream ?? false,
    responseStream: shape.responseStream ?? false,
    requestSerialize: () => {
      throw new Error('this side only reads requests');
    },
    requestDeserialize: shape.request,
    // FramedMessages answers the few calls that grpc-js makes on a Buffer.
    responseSerialize: (reply) => reply as Buffer,
    responseDeserialize: (bytes) => bytes,
  };
}
