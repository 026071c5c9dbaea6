import { Refusal } from '../../domain/kit/index.js';

/** Stands in for a request message that cannot be had, until the guard refuses it. */
export class Undecodable {
  constructor(readonly refusal = new Refusal('INVALID_ARGUMENT', 'The message does not decode as what this rpc takes', { reason: 'INVALID_MESSAGE' })) {}
}

/** Decodes as before, but never throws: grpc-js would answer INTERNAL to what is the caller's mistake. */
export const decodingOr =
  (deserialize: (bytes: Buffer) => any) =>
  (bytes: Buffer): any => {
    try {
      return deserialize(bytes);
    } catch {
      return new Undecodable();
    }
  };
