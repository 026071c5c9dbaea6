import type { Caller } from '../commands/kit/command.js';
import { givenTraceparent, newTraceparent, type HeaderReader } from './context.js';

/** Who is behind a request and under which trace it runs; established by the guard before anything of the request's body is read. */
export class Visitor {
  private trace?: string;
  private ownTrace = false;
  private spanTaken = false;
  /** Views that the answer comes from and that have keys standing still, with the number of those. */
  parkedKeys?: ReadonlyMap<string, number>;
  /** The positions as of which questions about the past were answered; several only where one request asks several. */
  asOf?: ReadonlySet<string>;

  constructor(
    readonly header: HeaderReader,
    readonly caller: Caller,
    /** Calls back when the client of an HTTP request has gone before its answer. */
    readonly onAbort?: (listener: () => void) => void,
    /** Whether a trace of the request's own is to be recorded. */
    private readonly samples?: () => boolean,
  ) {}

  /** The caller's trace or one of the request's own, made when first asked for: most requests never are. */
  get traceparent(): string {
    return this.trace ?? this.findTrace();
  }

  /** True when the trace is one of the request's own. */
  get beginsTrace(): boolean {
    if (this.trace === undefined) this.findTrace();
    return this.ownTrace;
  }

  /** True once: the first work of a request that begins its trace is the span that its traceparent names. */
  takeSpan(): boolean {
    const free = this.beginsTrace && !this.spanTaken;
    this.spanTaken = true;
    return free;
  }

  private findTrace(): string {
    const given = givenTraceparent(this.header);
    this.ownTrace = given === undefined;
    return (this.trace = given ?? newTraceparent(this.samples?.()));
  }
}

/** Whoever has not shown a key yet. */
export const nobody: Caller = { actor: 'anonymous', may: () => false };

// A property rather than a WeakMap: the garbage collector pays for every entry of one, on every request.
const key = Symbol('visitor');

/** Notes the visitor behind a request: of REST and GraphQL the Fastify request, of gRPC the call's metadata. */
export function rememberVisitor(request: object, visitor: Visitor): void {
  (request as Record<symbol, Visitor>)[key] = visitor;
}

/** The visitor behind a request. That there is none is a bug: the guard sees every request first. */
export function visitorOf(request: object): Visitor {
  const visitor = (request as Record<symbol, Visitor | undefined>)[key];
  if (!visitor) throw new Error('The request did not pass the guard');
  return visitor;
}

/** The value of the header `Tarl-As-Of`: the position that an answer about the past was made at; undefined for answers of now. */
export const asOfText = ({ asOf }: Visitor): string | undefined => asOf && [...asOf].join(', ');

/** The value of the header `Tarl-Parked-Keys`, such as `feature-groups=2`; undefined when nothing stands still. */
export const parkedKeysText = ({ parkedKeys }: Visitor): string | undefined => parkedKeys && [...parkedKeys].map(([view, count]) => `${view}=${count}`).join(', ');
