import type { Caller } from '../commands/kit/command.js';

/** Who is behind a request and under which trace it runs; established by the guard before anything of the request's body is read. */
export interface Visitor {
  readonly caller: Caller;
  readonly traceparent: string;
  /** Calls back when the client of an HTTP request has gone before its answer. */
  readonly onAbort?: (listener: () => void) => void;
}

const visitors = new WeakMap<object, Visitor>();

/** Notes the visitor behind a request: of REST and GraphQL the Fastify request, of gRPC the call's metadata. */
export const rememberVisitor = (request: object, visitor: Visitor): void => void visitors.set(request, visitor);

/** The visitor behind a request. That there is none is a bug: the guard sees every request first. */
export function visitorOf(request: object): Visitor {
  const visitor = visitors.get(request);
  if (!visitor) throw new Error('The request did not pass the guard');
  return visitor;
}
