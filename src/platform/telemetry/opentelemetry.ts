import { context, ROOT_CONTEXT, trace, type ContextManager, type ProxyTracerProvider } from '@opentelemetry/api';
import { core, NodeSDK, tracing as sdk } from '@opentelemetry/sdk-node';
import { setTimeout as pause } from 'node:timers/promises';
import { ChosenIds, newSpanId, newTraceId } from './chosen-ids.js';
import { contextOf, SpanRecorder } from './span-recorder.js';
import { isRecorded } from './traceparent.js';
import type { SpanDetails, Tracing, TracingSettings } from './tracing.js';

/** A collector that is away is told of no more often than this: it is for each of the batches that it does not take. */
const quiet_ms = 600_000;
/** At the end it has so long to take what is left. */
const farewell_ms = 2000;

/** Tracing by OpenTelemetry. The SDK makes the exporter itself, from the variables that OpenTelemetry defines for it. */
export function startOpenTelemetry({ exporter, endpoint, sample = 1, onFailure }: TracingSettings): Tracing {
  process.env.OTEL_TRACES_EXPORTER = exporter;
  if (endpoint !== undefined) process.env[exporter === 'zipkin' ? 'OTEL_EXPORTER_ZIPKIN_ENDPOINT' : 'OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
  process.env.OTEL_METRICS_EXPORTER ??= 'none';
  process.env.OTEL_LOGS_EXPORTER ??= 'none';
  process.env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE ??= '256';
  const ids = new ChosenIds();
  // What is not to be recorded never gets as far as the SDK.
  const node = new NodeSDK({ serviceName: 'tarl', autoDetectResources: false, instrumentations: [], contextManager: noContexts, textMapPropagator: null, idGenerator: ids, sampler: new sdk.AlwaysOnSampler() });
  node.start();
  const tell = unlessToldOf(onFailure);
  core.setGlobalErrorHandler(tell);
  const provider = (trace.getTracerProvider() as ProxyTracerProvider).getDelegate() as sdk.BasicTracerProvider;
  const limits = { together: numberFrom('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512), longestWait_ms: exporter === 'console' ? 0 : numberFrom('OTEL_BSP_SCHEDULE_DELAY', 5000) };
  const recorder = new SpanRecorder(provider, ids, limits, tell);
  const samples = () => Math.random() < sample;

  /** Times are the clock's at the start, and exact from there on. */
  function record<Result>(name: string, { traceId, spanId }: Ids, parent: string | undefined, work: () => Promise<Result>, details: SpanDetails): Promise<Result> {
    const [start_ms, since] = [Date.now(), performance.now()];
    const end = (error?: string) => recorder.add({ name, traceId, spanId, parent, start_ms, end_ms: start_ms + performance.now() - since, error, details });
    const fail = (error: unknown) => end(error instanceof Error ? error.name : 'error');
    try {
      const result = work();
      result.then(() => end(), fail);
      return result;
    } catch (error) {
      fail(error);
      throw error;
    }
  }
  /** The same below another span, or as the first of a trace. */
  function recordNew<Result>(name: string, traceId: string, parent: string | undefined, work: (traceparent: string) => Promise<Result>, details: SpanDetails): Promise<Result> {
    const spanId = newSpanId();
    return record(name, { traceId, spanId }, parent, () => work(`00-${traceId}-${spanId}-01`), details);
  }

  return {
    enabled: true,
    samples,
    inSpan(name, parent, work, more = {}) {
      const within = isRecorded(parent) ? contextOf(parent) : undefined;
      return within ? recordNew(name, within.traceId, parent, work, more) : work(parent);
    },
    inTrace(name, work, more = {}) {
      const isRecordedTrace = more.traceId !== undefined || more.links?.some(isRecorded) || samples();
      const traceId = more.traceId ?? newTraceId();
      return isRecordedTrace ? recordNew(name, traceId, undefined, work, more) : work(`00-${traceId}-${newSpanId()}-00`);
    },
    asSpan(name, traceparent, work, more = {}) {
      const ids = contextOf(traceparent);
      return ids ? record(name, ids, undefined, work, more) : work();
    },
    async close() {
      recorder.handOver();
      const late = new AbortController();
      const sent = node.shutdown().catch(tell).finally(() => late.abort());
      await Promise.race([sent, pause(farewell_ms, undefined, { signal: late.signal }).then(() => tell(new Error(`The collector does not answer within ${farewell_ms / 1000} s`)), () => undefined)]);
      // Their places in the process are free for the next one.
      trace.disable();
      context.disable();
    },
  };
}

interface Ids {
  readonly traceId: string;
  readonly spanId: string;
}

/** What the SDK takes from that variable too, and its own value where there is none. */
function numberFrom(variable: string, otherwise: number): number {
  const value = core.getNumberFromEnv(variable);
  return value !== undefined && value > 0 ? value : otherwise;
}

function unlessToldOf(tell: (error: unknown) => void = () => undefined): (error: unknown) => void {
  let toldAt = -Infinity;
  return (error) => {
    if (performance.now() - toldAt < quiet_ms) return;
    toldAt = performance.now();
    tell(error);
  };
}

/** Parents are passed on in the request's context. The SDK's own way would be an AsyncLocalStorage. */
const noContexts: ContextManager = {
  active: () => ROOT_CONTEXT,
  with: (_context, work, self, ...args) => work.call(self as never, ...args),
  bind: (_context, target) => target,
  enable: () => noContexts,
  disable: () => noContexts,
};
