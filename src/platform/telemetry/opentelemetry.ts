import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Link, type Span, type SpanContext } from '@opentelemetry/api';
import { NodeSDK, tracing as sdk } from '@opentelemetry/sdk-node';
import { isRecorded } from './traceparent.js';
import type { SpanDetails, Tracing, TracingSettings } from './tracing.js';

const { ParentBasedSampler, RandomIdGenerator, SamplingDecision, TraceIdRatioBasedSampler } = sdk;

/** A batch of events may come from more commands than a span can name. */
const mostLinks = 128;

/** Gives the next trace the id that its request is known by in the log and in answers. */
class ChosenIds {
  next: string | undefined;
  private readonly random = new RandomIdGenerator();

  generateSpanId(): string {
    return this.random.generateSpanId();
  }
  generateTraceId(): string {
    const id = this.next ?? this.random.generateTraceId();
    this.next = undefined;
    return id;
  }
}

/** Tracing by OpenTelemetry. The SDK makes the exporter itself, from the variables that OpenTelemetry defines for it. */
export function startOpenTelemetry({ exporter, endpoint, sample = 1 }: TracingSettings): Tracing {
  process.env.OTEL_TRACES_EXPORTER = exporter;
  if (endpoint !== undefined) process.env[exporter === 'zipkin' ? 'OTEL_EXPORTER_ZIPKIN_ENDPOINT' : 'OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
  process.env.OTEL_METRICS_EXPORTER ??= 'none';
  process.env.OTEL_LOGS_EXPORTER ??= 'none';
  const ids = new ChosenIds();
  const ratio = new TraceIdRatioBasedSampler(sample);
  const node = new NodeSDK({ serviceName: 'tarl', autoDetectResources: false, instrumentations: [], idGenerator: ids, sampler: new ParentBasedSampler({ root: new sdk.AlwaysOnSampler() }) });
  node.start();
  const tracer = trace.getTracer('tarl');
  const begin = (name: string, within: Context, { kind, links, attributes }: SpanDetails) =>
    tracer.startSpan(name, { kind: kind && kinds[kind], links: links && linksTo(links), attributes: { ...attributes } }, within);

  return {
    enabled: true,
    inSpan(name, parent, work, more = {}) {
      const within = isRecorded(parent) ? contextOf(parent) : undefined;
      if (!within) return work(parent);
      return around(begin(name, trace.setSpanContext(ROOT_CONTEXT, within), more), work);
    },
    inTrace(name, work, more = {}) {
      const traceId = more.traceId ?? ids.generateTraceId();
      const recorded = more.links?.some(isRecorded) || ratio.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
      if (!recorded) return work(`00-${traceId}-${ids.generateSpanId()}-00`);
      ids.next = traceId;
      return around(begin(name, ROOT_CONTEXT, more), work);
    },
    close: () => node.shutdown(),
  };
}

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };

async function around<Result>(span: Span, work: (traceparent: string) => Promise<Result>): Promise<Result> {
  const { traceId, spanId } = span.spanContext();
  try {
    return await work(`00-${traceId}-${spanId}-01`);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
    throw error;
  } finally {
    span.end();
  }
}

/** Undefined for what is no traceparent; it may come from an event that somebody else wrote. */
function contextOf(traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = traceparent.split('-');
  if (traceId?.length !== 32 || spanId?.length !== 16 || flags?.length !== 2) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

const linksTo = (traceparents: readonly string[]): Link[] =>
  [...new Set(traceparents.filter(isRecorded))].slice(-mostLinks).flatMap((traceparent) => {
    const context = contextOf(traceparent);
    return context ? [{ context }] : [];
  });
