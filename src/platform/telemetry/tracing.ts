/** Spans around the work of a request. Off unless an exporter is set, and then OpenTelemetry is not even loaded. */
export interface Tracing {
  readonly enabled: boolean;
  /** Runs work in a span, a child of the current one or else of the given traceparent, and tells it the span's own traceparent. */
  inSpan<Result>(name: string, parent: string | undefined, work: (traceparent: string) => Promise<Result>): Promise<Result>;
  /** Sends what is left. */
  close(): Promise<void>;
}

export type TraceExporter = 'none' | 'otlp' | 'console';

/** Starts tracing with the exporter that the settings name. */
export async function startTracing(exporter: TraceExporter, endpoint?: string): Promise<Tracing> {
  if (exporter === 'none') return noTracing;
  const { startOpenTelemetry } = await import('./opentelemetry.js');
  return startOpenTelemetry(exporter, endpoint);
}

/** Tracing that is off. */
export const noTracing: Tracing = {
  enabled: false,
  inSpan: (_name, parent, work) => work(parent ?? ''),
  close: () => Promise.resolve(),
};
