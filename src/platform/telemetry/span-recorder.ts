import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Link, type SpanContext, type Tracer } from '@opentelemetry/api';
import type { ChosenIds } from './chosen-ids.js';
import { isRecorded } from './traceparent.js';
import type { SpanDetails } from './tracing.js';

/** A span that has ended, as the values it is made of. */
export interface EndedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** The traceparent of the span above it; absent where it begins its trace. */
  readonly parent?: string;
  /** Since the Unix epoch. */
  readonly start_ms: number;
  readonly end_ms: number;
  /** The name of the error that ended it. */
  readonly error?: string;
  readonly details: SpanDetails;
}

/** So many spans are made together: one by one, between other work, each costs several times as much. */
const together = 256;
const longestWait_ms = 1000;
/** A batch of events may come from more commands than a span can name. */
const mostLinks = 128;

/** Gathers spans that have ended and hands them to OpenTelemetry many at a time. */
export class SpanRecorder {
  private ended: EndedSpan[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** The tracer takes the ids of its spans from `ids`. */
  constructor(
    private readonly tracer: Tracer,
    private readonly ids: ChosenIds,
  ) {}

  add(span: EndedSpan): void {
    this.ended.push(span);
    if (this.ended.length >= together) this.handOver();
    else this.timer ??= setTimeout(() => this.handOver(), longestWait_ms).unref();
  }

  /** Hands over what has been gathered. */
  handOver(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { ended } = this;
    this.ended = [];
    for (const span of ended) this.make(span);
  }

  private make({ name, traceId, spanId, parent, start_ms, end_ms, error, details: { kind, links, attributes } }: EndedSpan): void {
    const above = parent === undefined ? undefined : contextOf(parent);
    this.ids.choose(traceId, spanId);
    const options = { startTime: start_ms, kind: kind && kinds[kind], links: links && linksTo(links), attributes };
    const span = this.tracer.startSpan(name, options, above ? trace.setSpanContext(ROOT_CONTEXT, above) : ROOT_CONTEXT);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(end_ms);
  }
}

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };

/** Undefined for what is no traceparent; it may come from an event that somebody else wrote. */
export function contextOf(traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = traceparent.split('-');
  if (traceId?.length !== 32 || spanId?.length !== 16 || flags?.length !== 2) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

const linksTo = (traceparents: readonly string[]): Link[] =>
  [...new Set(traceparents.filter(isRecorded))].slice(-mostLinks).flatMap((traceparent) => {
    const context = contextOf(traceparent);
    return context ? [{ context }] : [];
  });
