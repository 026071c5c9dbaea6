import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** How many jobs of one kind stand where, as their queue says. */
export interface QueueCounts {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/** How one try ended: a failed one comes again, one given up does not. */
export type TryOutcome = 'succeeded' | 'failed' | 'given_up';

const states = ['waiting', 'active', 'delayed', 'failed'] as const;
/** From a look at a table to a drift check of months. */
const buckets = [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1800, 7200];

/** The numbers of the jobs. The only labels are the jobs' names, which the code declares, and words of ours. */
export class JobMetrics {
  private readonly tries: Counter<'job' | 'outcome'>;
  private readonly durations: Histogram<'job'>;
  private readonly queued: Gauge<'job' | 'state'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.tries = new Counter({ name: 'tarl_job_tries_total', help: 'Tries of jobs that this process has ended, by how they ended', labelNames: ['job', 'outcome'], registers });
    this.durations = new Histogram({ name: 'tarl_job_duration_seconds', help: 'How long the tries of jobs took in this process', labelNames: ['job'], buckets, registers });
    this.queued = new Gauge({ name: 'tarl_jobs', help: 'Jobs in their queues, the same in every process that looks into them', labelNames: ['job', 'state'], registers });
  }

  /** Counts one try. */
  tried(job: string, outcome: TryOutcome, seconds: number): void {
    this.tries.inc({ job, outcome });
    this.durations.observe({ job }, seconds);
  }

  /** Takes what the queues say now for what is so. */
  measure(queues: readonly QueueCounts[]): void {
    this.queued.reset();
    for (const queue of queues) for (const state of states) this.queued.set({ job: queue.name, state }, queue[state]);
  }
}
