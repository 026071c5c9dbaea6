/** Spans around the work of the platform. Off unless an exporter is set, and then OpenTelemetry is not even loaded. */
export interface Tracing {
  readonly enabled: boolean;
  /** Whether a trace that begins now is to be recorded; its traceparent says so to all that it leads to. */
  samples(): boolean;
  /**
   * Runs work in a span below the given traceparent, and tells it the traceparent to pass on. Work below one that is not
   * recorded costs nothing: it gets that traceparent back.
   */
  inSpan<Result>(name: string, parent: string, work: (traceparent: string) => Promise<Result>, more?: SpanDetails): Promise<Result>;
  /** Runs work that begins a trace: recorded as the sampling says, or always when one of the traces it goes on with is, or when it is named by the id of one that is. */
  inTrace<Result>(name: string, work: (traceparent: string | undefined) => Promise<Result>, more?: SpanDetails & { readonly traceId?: string }): Promise<Result>;
  /** Runs work that begins a trace which is to be recorded, as the span that its traceparent names. */
  asSpan<Result>(name: string, traceparent: string, work: () => Promise<Result>, more?: SpanDetails): Promise<Result>;
  /** Sends what is left, as far as the collector takes it without delay. */
  close(): Promise<void>;
}

export interface SpanDetails {
  /** A producer puts something in a queue, a consumer takes it out; without a kind the work stays within the process. */
  readonly kind?: 'server' | 'client' | 'producer' | 'consumer';
  /** What else led here, by traceparent: a batch has many parents. Those that are not recorded are left out. */
  readonly links?: readonly string[];
  readonly attributes?: Readonly<Record<string, string | number>>;
}

export type TraceExporter = 'none' | 'otlp' | 'zipkin' | 'console';

export interface TracingSettings {
  readonly exporter: TraceExporter;
  /** Where the collector listens, when not at the place that is usual for the exporter. */
  readonly endpoint?: string;
  /** The share of the traces begun here that are recorded, 0 to 1. A trace that a caller began is recorded as the caller says. */
  readonly sample?: number;
  /** Told when traces cannot be sent, once in a while; nothing else comes of it. */
  readonly onFailure?: (error: unknown) => void;
}

/** Starts tracing with the exporter that the settings name. */
export async function startTracing(settings: TracingSettings): Promise<Tracing> {
  if (settings.exporter === 'none') return noTracing;
  const { startOpenTelemetry } = await import('./opentelemetry.js');
  return startOpenTelemetry(settings);
}

/** Tracing that is off: traces that others began are passed on. */
export const noTracing: Tracing = {
  enabled: false,
  samples: () => true,
  inSpan: (_name, parent, work) => work(parent),
  inTrace: (_name, work) => work(undefined),
  asSpan: (_name, _traceparent, work) => work(),
  close: () => Promise.resolve(),
};
