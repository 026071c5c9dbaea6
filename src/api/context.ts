import { randomUUID } from 'node:crypto';
import type { Caller } from '../commands/kit/command.js';
import { Refusal } from '../domain/kit/index.js';
import type { WireContext } from './operations.js';
import type { Visitor } from './visitors.js';

/** Gives the value of a header, or of the metadata entry of the same name; names are in lower case. */
export type HeaderReader = (name: string) => string | undefined;

/** What a wire knows of a request besides its headers. `onAbort` calls back when the caller has gone. */
export interface RequestFacts {
  readonly deadline?: number;
  readonly onAbort?: (listener: () => void) => void;
}

const traceparentShape = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The context of a request, the same on every wire. Refuses headers that mean nothing. */
export function contextFrom(header: HeaderReader, { caller, traceparent }: Visitor, facts: RequestFacts = {}): WireContext {
  return new HeaderContext(
    caller,
    facts,
    token(header('idempotency-key'), 'Idempotency-Key'),
    etagOf(header('if-match')),
    token(header('tarl-min-position'), 'Tarl-Min-Position'),
    token(header('tarl-correlation-id'), 'Tarl-Correlation-Id'),
    traceparent,
  );
}

class HeaderContext implements WireContext {
  private abort?: AbortController;

  constructor(
    readonly caller: Caller,
    private readonly facts: RequestFacts,
    readonly idempotencyKey: string | undefined,
    readonly etag: string | undefined,
    readonly minPosition: string | undefined,
    readonly correlationId: string | undefined,
    readonly traceparent: string,
  ) {}

  get deadline(): number | undefined {
    return this.facts.deadline;
  }

  /** Made when first asked for: most requests never look at it. */
  get signal(): AbortSignal {
    if (!this.abort) {
      const abort = new AbortController();
      this.facts.onAbort?.(() => abort.abort(new Refusal('CANCELLED', 'The caller went away', { reason: 'CANCELLED' })));
      this.abort = abort;
    }
    return this.abort.signal;
  }
}

/** The trace that the caller goes on with, or a new one; a broken traceparent starts a new one, as the W3C recommendation says. */
export function traceparentOf(header: HeaderReader): string {
  const given = header('traceparent');
  if (given !== undefined && traceparentShape.test(given)) return given;
  const id = randomUUID().replaceAll('-', '');
  return `00-${id}-${id.slice(16)}-00`;
}

/** The trace id within a traceparent. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);

/** Visible ASCII, short enough to stand in an event. */
function token(value: string | undefined, header: string): string | undefined {
  if (value === undefined || /^[\x21-\x7e]{1,256}$/.test(value)) return value;
  throw badHeader(header, 'takes 1 to 256 visible ASCII characters');
}

/** `If-Match: "5"` or a bare 5; `*` asks for nothing in particular. */
function etagOf(value: string | undefined): string | undefined {
  if (value === undefined || value === '*') return undefined;
  const [, quoted, bare] = /^(?:"([\x21\x23-\x7e]{1,128})"|([\x21\x23-\x7e]{1,128}))$/.exec(value) ?? [];
  if (quoted === undefined && bare === undefined) throw badHeader('If-Match', 'takes one etag of an earlier answer');
  return quoted ?? bare;
}

const badHeader = (header: string, description: string) =>
  new Refusal('INVALID_ARGUMENT', `${header} ${description}`, { reason: 'INVALID_HEADER', fields: [{ field: header, description }] });
