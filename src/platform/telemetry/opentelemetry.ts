import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { TraceExporter, Tracing } from './tracing.js';

/** Tracing by OpenTelemetry. The SDK makes the exporter itself, from the variables that OpenTelemetry defines for it. */
export function startOpenTelemetry(exporter: TraceExporter, endpoint?: string): Tracing {
  process.env.OTEL_TRACES_EXPORTER = exporter;
  if (endpoint !== undefined) process.env.OTEL_EXPORTER_OTLP_ENDPOINT = endpoint;
  process.env.OTEL_METRICS_EXPORTER ??= 'none';
  process.env.OTEL_LOGS_EXPORTER ??= 'none';
  const sdk = new NodeSDK({ serviceName: 'tarl', autoDetectResources: false, instrumentations: [] });
  sdk.start();
  const tracer = trace.getTracer('tarl');

  return {
    enabled: true,
    inSpan(name, parent, work) {
      const active = context.active();
      const within = trace.getSpan(active) || parent === undefined ? active : propagation.extract(active, { traceparent: parent });
      return tracer.startActiveSpan(name, {}, within, async (span) => {
        const { traceId, spanId, traceFlags } = span.spanContext();
        try {
          return await work(`00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`);
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    close: () => sdk.shutdown(),
  };
}
