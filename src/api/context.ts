import type { Caller, IfMatch } from '../commands/kit/command.js';
import { Refusal } from '../domain/kit/index.js';
import { newTraceId } from '../platform/telemetry/chosen-ids.js';
import { readIfMatch } from './if-match.js';
import type { WireContext } from './operations.js';
import type { Visitor } from './visitors.js';

/** Gives the value of a header, or of the metadata entry of the same name; names are in lower case. */
export type HeaderReader = (name: string) => string | undefined;

/** The context of a request, the same on every wire. A header that means nothing is refused when it is looked at. */
export const contextFrom = (visitor: Visitor, deadline?: number): WireContext => new HeaderContext(visitor, deadline);

/** Everything is read when first asked for: a hot read asks for the caller alone. */
class HeaderContext implements WireContext {
  private abort?: AbortController;

  constructor(
    private readonly visitor: Visitor,
    readonly deadline: number | undefined,
  ) {}

  get caller(): Caller {
    return this.visitor.caller;
  }
  get traceparent(): string {
    return this.visitor.traceparent;
  }
  get beginsTrace(): boolean {
    return this.visitor.beginsTrace;
  }
  takeSpan(): boolean {
    return this.visitor.takeSpan();
  }
  get idempotencyKey(): string | undefined {
    return this.token('Idempotency-Key');
  }
  get ifMatch(): IfMatch | undefined {
    const value = this.visitor.header('if-match');
    if (value === undefined) return undefined;
    const read = readIfMatch(value);
    if (read === undefined) throw badHeader('If-Match', 'takes * or etags of earlier answers, such as "5" or "5", "6"');
    return read;
  }
  get minPosition(): string | undefined {
    return this.token('Tarl-Min-Position');
  }
  get correlationId(): string | undefined {
    return this.token('Tarl-Correlation-Id');
  }

  get signal(): AbortSignal {
    if (!this.abort) {
      const abort = new AbortController();
      this.visitor.onAbort?.(() => abort.abort(new Refusal('CANCELLED', 'The caller went away', { reason: 'CANCELLED' })));
      this.abort = abort;
    }
    return this.abort.signal;
  }

  noteParked(counts: ReadonlyMap<string, number>): void {
    this.visitor.parkedKeys = new Map([...(this.visitor.parkedKeys ?? []), ...counts]);
  }

  noteAsOf(position: string): void {
    this.visitor.asOf = new Set([...(this.visitor.asOf ?? []), position]);
  }

  /** Visible ASCII, short enough to stand in an event. */
  private token(name: string): string | undefined {
    const value = this.visitor.header(name.toLowerCase());
    if (value === undefined || /^[\x21-\x7e]{1,256}$/.test(value)) return value;
    throw badHeader(name, 'takes 1 to 256 visible ASCII characters');
  }
}

/** As nearly all come, with no other flags than "recorded" and "the id is random". */
const usualTraceparent = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]$/;
const anyTraceparent = /^(?<version>(?!ff)[0-9a-f]{2})-(?<ids>(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<more>-[^]*)?$/;

/**
 * The trace that the caller goes on with, as the W3C recommendation has it passed on: without flags that it does not know,
 * and of a later version with what is known of that. A broken traceparent is none.
 */
export function givenTraceparent(header: HeaderReader): string | undefined {
  const given = header('traceparent');
  if (given === undefined || usualTraceparent.test(given)) return given;
  const { version, ids, flags, more } = anyTraceparent.exec(given)?.groups ?? {};
  if (flags === undefined || (version === '00' && more !== undefined)) return undefined;
  return `00-${ids}-0${Number.parseInt(flags, 16) & (version === '00' ? 3 : 1)}`;
}

/** A new trace, and whether it is recorded. */
export function newTraceparent(recorded = true): string {
  const id = newTraceId();
  return `00-${id}-${id.slice(16)}-${recorded ? '01' : '00'}`;
}

/** The trace that the caller goes on with, or a new one. */
export const traceparentOf = (header: HeaderReader): string => givenTraceparent(header) ?? newTraceparent();

/** The trace id within a traceparent. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);

const badHeader = (header: string, description: string) =>
  new Refusal('INVALID_ARGUMENT', `${header} ${description}`, { reason: 'INVALID_HEADER', fields: [{ field: header, description }] });
