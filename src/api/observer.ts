import type { Logger } from 'pino';
import type { Metrics } from '../platform/telemetry/metrics.js';
import { isRecorded } from '../platform/telemetry/traceparent.js';
import type { Tracing } from '../platform/telemetry/tracing.js';
import { withTraceparent } from '../commands/kit/traced.js';
import { traceIdOf } from './context.js';
import { refusalOf, type WireCode } from './errors.js';
import type { WireContext } from './operations.js';

const served = { kind: 'server' } as const;

/** The three ways in. */
export type Wire = 'rest' | 'grpc' | 'graphql';

/** Sees every request of every wire: counts it, times it, traces it, and logs it when it fails. */
export class Observer {
  private readonly seen = new WeakSet<object>();

  /** Whether the trace of a request that begins one is to be recorded. */
  readonly samples: () => boolean;

  constructor(
    private readonly metrics: Metrics,
    private readonly tracing: Tracing,
    private readonly logger: Logger,
  ) {
    this.samples = () => tracing.samples();
  }

  /** Runs the work of one request; hand-written endpoints call this themselves. The context it passes on carries the request's span. */
  async observe<Result>(wire: Wire, operation: string, context: WireContext, work: (context: WireContext) => Promise<Result>): Promise<Result> {
    const started = performance.now();
    try {
      const result = await (this.tracing.enabled ? this.trace(wire, operation, context, work) : work(context));
      this.metrics.requestDone(wire, operation, 'OK', started);
      return result;
    } catch (error) {
      this.failed(wire, operation, error, context.traceparent, started);
      throw error;
    }
  }

  private trace<Result>(wire: Wire, operation: string, context: WireContext, work: (context: WireContext) => Promise<Result>): Promise<Result> {
    const { traceparent } = context;
    if (traceparent !== undefined && !isRecorded(traceparent)) return work(context);
    const name = `${wire} ${operation}`;
    if (traceparent !== undefined && context.takeSpan?.()) return this.tracing.asSpan(name, traceparent, () => work(context), served);
    const traced = (own = traceparent) => work(withTraceparent(context, own));
    if (traceparent === undefined || context.beginsTrace) return this.tracing.inTrace(name, traced, { ...served, traceId: traceparent && traceIdOf(traceparent) });
    return this.tracing.inSpan(name, traceparent, traced, served);
  }

  /** Counts and logs a request that failed, also one that failed before there was anything to run; each error once. */
  failed(wire: Wire, operation: string, error: unknown, traceparent: string | undefined, started = performance.now()): void {
    if (typeof error === 'object' && error !== null) {
      if (this.seen.has(error)) return;
      this.seen.add(error);
    }
    const refusal = refusalOf(error);
    const code: WireCode = refusal?.code ?? 'INTERNAL';
    this.metrics.requestDone(wire, operation, code, started);
    const line = { wire, operation, code, traceId: traceparent && traceIdOf(traceparent), ms: Math.round(performance.now() - started) };
    if (!refusal) this.logger.error({ ...line, err: error }, 'request failed');
    // What a refusal is caused by is nothing that its caller can mend.
    else if (refusal === error && refusal.cause === undefined) this.logger.info({ ...line, reason: refusal.details.reason }, 'request refused');
    else this.logger.warn({ ...line, reason: refusal.details.reason, err: error }, 'request failed');
  }
}

