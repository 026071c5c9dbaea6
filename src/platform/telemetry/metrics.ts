import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { JobMetrics, type QueueCounts } from './job-metrics.js';

/** What is known of a view when the numbers are fetched. */
export interface ViewLag {
  readonly name: string;
  readonly lagPositions: string;
  readonly lagMs: number;
  readonly parkedKeys: number;
  readonly eventsPerSecond: number;
  /** Of the last comparison with the log; absent where there was none. */
  readonly differingRows?: number;
}

/** Where the numbers come from that are looked up when a page is fetched. */
export interface Sources {
  readonly views: () => Promise<readonly ViewLag[]>;
  /** None where the process does not look into the queues. */
  readonly queues: () => Promise<readonly QueueCounts[]>;
  /** Hears why numbers are missing from a page; the rest of the page stays. */
  readonly onError: (error: unknown, what: string) => void;
}

const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The numbers that Prometheus fetches. Labels take few values, so the page stays small and never blocks the loop for long. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  private readonly registry = new Registry();
  private readonly requests = new Histogram({
    name: 'tarl_request_duration_seconds',
    help: 'Requests by wire, operation and answer code, with how long they took',
    labelNames: ['wire', 'operation', 'code'],
    buckets,
    registers: [this.registry],
  });
  private readonly lagPositions = this.gaugeOfViews('tarl_projection_lag_positions', 'Bytes of log that a view has yet to project');
  private readonly lagSeconds = this.gaugeOfViews('tarl_projection_lag_seconds', 'Age of the oldest event that a view has yet to project');
  private readonly parkedKeys = this.gaugeOfViews('tarl_projection_parked_keys', 'Keys of a view that stand still because of an event that it cannot take');
  private readonly rate = this.gaugeOfViews('tarl_projection_events_per_second', 'Events that a view projected per second over the last minute');

  private readonly differingRows = this.gaugeOfViews('tarl_projection_differing_rows', 'Rows of a view that differed from what the log gives when they were last compared');
  readonly jobs = new JobMetrics(this.registry);

  constructor(private readonly sources: Sources) {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Counts one request; `started` is a reading of performance.now(). */
  requestDone(wire: string, operation: string, code: string, started: number): void {
    this.requests.observe({ wire, operation, code }, (performance.now() - started) / 1000);
  }

  /** The page in Prometheus' text format. */
  async page(): Promise<string> {
    await Promise.all([this.measureViews(), this.measureQueues()]);
    return this.registry.metrics();
  }

  private async measureViews(): Promise<void> {
    for (const gauge of [this.lagPositions, this.lagSeconds, this.parkedKeys, this.rate, this.differingRows]) gauge.reset();
    try {
      for (const { name: view, lagPositions, lagMs, parkedKeys, eventsPerSecond, differingRows } of await this.sources.views()) {
        this.lagPositions.set({ view }, Number(lagPositions));
        this.lagSeconds.set({ view }, lagMs / 1000);
        this.parkedKeys.set({ view }, parkedKeys);
        this.rate.set({ view }, eventsPerSecond);
        if (differingRows !== undefined) this.differingRows.set({ view }, differingRows);
      }
    } catch (error) {
      this.sources.onError(error, 'The lag of the views is not known');
    }
  }

  private async measureQueues(): Promise<void> {
    try {
      this.jobs.measure(await this.sources.queues());
    } catch (error) {
      this.jobs.measure([]);
      this.sources.onError(error, 'What waits in the queues is not known');
    }
  }

  private gaugeOfViews(name: string, help: string): Gauge<'view'> {
    return new Gauge({ name, help, labelNames: ['view'], registers: [this.registry] });
  }
}
