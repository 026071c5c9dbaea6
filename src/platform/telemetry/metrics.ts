import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is known of a view when the numbers are fetched. */
export interface ViewLag {
  readonly name: string;
  readonly lagPositions: string;
  readonly lagMs: number;
  readonly eventsPerSecond: number;
}

/** The numbers that Prometheus fetches. Labels take few values, so the page stays small and never blocks the loop for long. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly requests: Histogram<'wire' | 'operation' | 'code'>;

  constructor(viewLags: () => Promise<readonly ViewLag[]>) {
    const registers = [this.registry];
    this.requests = new Histogram({
      name: 'tarl_request_duration_seconds',
      help: 'Requests by wire, operation and answer code, with how long they took',
      labelNames: ['wire', 'operation', 'code'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    const lagPositions = new Gauge({ name: 'tarl_projection_lag_positions', help: 'Bytes of log that a view has yet to project', labelNames: ['view'], registers });
    const lagSeconds = new Gauge({
      name: 'tarl_projection_lag_seconds',
      help: 'Age of the oldest event that a view has yet to project',
      labelNames: ['view'],
      registers,
      collect: async () => {
        for (const view of await viewLags()) {
          lagPositions.set({ view: view.name }, Number(view.lagPositions));
          lagSeconds.set({ view: view.name }, view.lagMs / 1000);
          rate.set({ view: view.name }, view.eventsPerSecond);
        }
      },
    });
    const rate = new Gauge({ name: 'tarl_projection_events_per_second', help: 'Events that a view projected per second over the last minute', labelNames: ['view'], registers });
    collectDefaultMetrics({ register: this.registry });
  }

  /** Counts one request; `started` is a reading of performance.now(). */
  requestDone(wire: string, operation: string, code: string, started: number): void {
    this.requests.observe({ wire, operation, code }, (performance.now() - started) / 1000);
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** The page in Prometheus' text format. */
  page(): Promise<string> {
    return this.registry.metrics();
  }
}
