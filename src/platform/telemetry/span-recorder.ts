import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Link, type SpanContext, type Tracer } from '@opentelemetry/api';
import type { tracing as sdk } from '@opentelemetry/sdk-node';
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

/** A batch of events may come from more commands than a span can name. */
const mostLinks = 128;

/** Gathers spans that have ended, and hands them to OpenTelemetry when they are to be sent: until then a span of its own kind would only be in the garbage collector's way. */
export class SpanRecorder {
  private ended: EndedSpan[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly tracer: Tracer;

  /** The provider takes the ids of its spans from `ids`, and sends what it holds when there are `together` of it. */
  constructor(
    private readonly provider: sdk.BasicTracerProvider,
    private readonly ids: ChosenIds,
    private readonly limits: { readonly together: number; readonly longestWait_ms: number },
    private readonly onFailure: (error: unknown) => void,
  ) {
    this.tracer = provider.getTracer('tarl');
  }

  add(span: EndedSpan): void {
    this.ended.push(span);
    if (this.ended.length >= this.limits.together) this.handOver();
    else this.timer ??= setTimeout(() => this.send(), this.limits.longestWait_ms).unref();
  }

  /** Hands over what has been gathered. */
  handOver(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { ended } = this;
    this.ended = [];
    for (const span of ended) this.make(span);
  }

  private send(): void {
    this.handOver();
    this.provider.forceFlush?.().catch(this.onFailure);
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
  if (traceparent.length !== 55 || traceparent[2] !== '-' || traceparent[35] !== '-' || traceparent[52] !== '-') return undefined;
  return { traceId: traceparent.slice(3, 35), spanId: traceparent.slice(36, 52), traceFlags: isRecorded(traceparent) ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

const linksTo = (traceparents: readonly string[]): Link[] =>
  [...new Set(traceparents.filter(isRecorded))].slice(-mostLinks).flatMap((traceparent) => {
    const context = contextOf(traceparent);
    return context ? [{ context }] : [];
  });
