/** A request message that is not what its .proto says; stands in for it until the guard refuses it. */
export class Undecodable {
  constructor(readonly cause: unknown) {}
}

/** Decodes as before, but never throws: grpc-js would answer INTERNAL to what is the caller's mistake. */
export const decodingOr =
  (deserialize: (bytes: Buffer) => any) =>
  (bytes: Buffer): any => {
    try {
      return deserialize(bytes);
    } catch (error) {
      return new Undecodable(error);
    }
  };
