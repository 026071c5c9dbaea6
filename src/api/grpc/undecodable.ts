/** A request message that is not what its .proto says; stands in for it until the guard refuses it. */
export class Undecodable {
  constructor(readonly cause: unknown) {}
}
