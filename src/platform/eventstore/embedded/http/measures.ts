/** Upper bounds of the latency buckets, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How long the calls of one method took. */
class Latencies {
  readonly counts = new Float64Array(BUCKETS.length + 1);
  sum = 0;

  add(seconds: number): void {
    this.sum += seconds;
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    this.counts[bucket < 0 ? BUCKETS.length : bucket]!++;
  }
}

/** Characters of a stream's name that are told. */
const LONGEST_TOLD = 256;

/** A call that took longer than it should. */
export interface SlowRequest {
  readonly method: string;
  readonly stream?: string | undefined;
  readonly ms: number;
}

/** What a node has done since it started. Kept as plain numbers: they are counted for every append, and told only when asked for. */
export class Measures {
  readonly startedAt = Date.now();
  private readonly calls = new Map<string, number>();
  private readonly latencies = new Map<string, Latencies>();
  private readonly open = new Map<string, number>();
  private appendedEvents = 0;
  private connections = 0;

  constructor(
    private readonly slowMs: number,
    private readonly onSlow: (slow: SlowRequest) => void,
  ) {}

  connected(): void {
    this.connections++;
  }

  disconnected(): void {
    this.connections--;
  }

  /** A call begins; the returned function is told the gRPC status with which it ended. */
  begin(method: string, stream: string | undefined, isTimed: boolean): (code: number) => void {
    const begun = performance.now();
    this.open.set(method, (this.open.get(method) ?? 0) + 1);
    return (code) => {
      this.open.set(method, this.open.get(method)! - 1);
      const key = `method="${method}",code="${code}"`;
      this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
      if (isTimed) this.took(method, stream, performance.now() - begun);
    };
  }

  /** An append was answered, by itself or as one of many on one call. */
  appended(method: string, stream: string, events: number, ms: number): void {
    this.appendedEvents += events;
    this.took(method, stream, ms);
  }

  /** The text that Prometheus scrapes, with these gauges beside what was counted. */
  text(gauges: readonly { readonly name: string; readonly help: string; readonly value: number }[]): string {
    const lines: string[] = [];
    const family = (name: string, type: string, help: string, samples: Iterable<string>) => lines.push(`# HELP eventstore_${name} ${help}`, `# TYPE eventstore_${name} ${type}`, ...samples);
    family('calls_total', 'counter', 'gRPC calls that ended, by method and status code.', [...this.calls].map(([labels, count]) => `eventstore_calls_total{${labels}} ${count}`));
    family('open_calls', 'gauge', 'gRPC calls that are open, by method.', [...this.open].map(([method, count]) => `eventstore_open_calls{method="${method}"} ${count}`));
    family('request_seconds', 'histogram', 'How long requests took, each append of a batch call by itself.', this.histogram());
    family('appended_events_total', 'counter', 'Events appended.', [`eventstore_appended_events_total ${this.appendedEvents}`]);
    family('connections', 'gauge', 'Open connections.', [`eventstore_connections ${this.connections}`]);
    for (const { name, help, value } of gauges) family(name, 'gauge', help, [`eventstore_${name} ${value}`]);
    return `${lines.join('\n')}\n`;
  }

  /** A request was answered within so many ms. */
  took(method: string, stream: string | undefined, ms: number): void {
    let latencies = this.latencies.get(method);
    if (latencies === undefined) this.latencies.set(method, (latencies = new Latencies()));
    latencies.add(ms / 1000);
    if (ms >= this.slowMs) this.onSlow({ method, stream: stream?.slice(0, LONGEST_TOLD), ms: Math.round(ms) });
  }

  private *histogram(): Generator<string> {
    for (const [method, { counts, sum }] of this.latencies) {
      let total = 0;
      for (const [i, bound] of [...BUCKETS, '+Inf'].entries()) yield `eventstore_request_seconds_bucket{method="${method}",le="${bound}"} ${(total += counts[i]!)}`;
      yield `eventstore_request_seconds_sum{method="${method}"} ${sum}`;
      yield `eventstore_request_seconds_count{method="${method}"} ${total}`;
    }
  }
}
