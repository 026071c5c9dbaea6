import { DelayedError, UnrecoverableError, type Job, type JobsOptions, type Queue, type Worker } from 'bullmq';
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { inBatchSpan } from '../telemetry/batch.js';
import type { TryOutcome } from '../telemetry/job-metrics.js';
import { noTracing, type Tracing } from '../telemetry/tracing.js';
import type { JobBackend } from './backend.js';
import type { AnyJob, JobDefinition, JobRun } from './define.js';
import { isFinal, JobInterrupted, runJob } from './run-job.js';
import { readTrace, writeTrace } from './trace.js';

/** Where the jobs tell what happens, in the manner of pino. */
export interface JobLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export interface JobsParts {
  readonly backend: JobBackend;
  readonly definitions: readonly AnyJob[];
  /** Issues a command in the name of a job; the job's id makes it take effect once. */
  readonly issue: (job: AnyJob, run: RunningJob, command: { readonly name: string }, input: unknown) => ReturnType<JobRun['issue']>;
  /** Hears how a job ended that somebody asked for; a job whose end cannot be told is tried again. */
  readonly ended?: (job: AnyJob, run: RunningJob, outcome: Outcome) => Promise<void>;
  readonly log: JobLog;
  readonly tracing?: Tracing;
  /** Hears how each try ended, and how many seconds it took. */
  readonly tried?: (job: string, outcome: TryOutcome, seconds: number) => void;
  /** A process that says nothing for so long is taken for dead, and its jobs are taken over. */
  readonly silenceMs?: number;
  /** How long a stop waits for jobs under way. */
  readonly graceMs?: number;
}

/** One try under way, and the trace that it belongs to. */
export interface RunningJob {
  readonly id: string;
  readonly traceparent: string | undefined;
}

/** What became of a job: it has done its work, or was given up. */
export type Outcome = { readonly succeeded: true } | { readonly succeeded: false; readonly reason: string };

/** How one job is put in its queue, where it differs from the definition. */
export interface EnqueueOptions {
  /** A job of this id that is there already is not put there again. */
  readonly id?: string;
  readonly delayMs?: number;
  readonly priority?: number;
  /** The trace that the job goes on with. */
  readonly traceparent?: string;
}

/** Finished jobs stay for a while, so that they can be looked at, and so that an id is not taken twice. */
const kept = { removeOnComplete: { age: 86_400, count: 1_000 }, removeOnFail: { count: 10_000 } };
/** One of so many tidies up behind all: looking for the oldest among a thousand takes Postgres a fair part of a job's time. */
const jobsPerTidying = 200;
const largestInput_bytes = 65_536;

/** Puts jobs in their queues and works them off. */
export class Jobs {
  private readonly queues = new Map<string, Queue>();
  private readonly enqueued = new Map<string, number>();
  private readonly workers: Worker[] = [];
  private readonly stopping = new AbortController();
  private readonly tracing: Tracing;

  constructor(private readonly parts: JobsParts) {
    this.tracing = parts.tracing ?? noTracing;
  }

  /** Makes the queues' tables, and the schedules as they are declared now; those declared no longer end. */
  async prepare(): Promise<void> {
    await this.parts.backend.prepare();
    await this.keepSchedules();
  }

  /** Makes the schedules that are missing or declared otherwise. */
  async keepSchedules(): Promise<void> {
    for (const job of this.parts.definitions) await this.keepSchedule(job);
  }

  /** Puts a job in its queue and tells its id. Throws what zod throws when the input does not fit. */
  async enqueue<Input extends z.ZodObject>(job: JobDefinition<string, Input>, input: z.input<Input>, options: EnqueueOptions = {}): Promise<string> {
    const [id] = await this.enqueueAll(job, [{ input, ...options }]);
    return id!;
  }

  /** Puts several of one kind in their queue, in one statement. */
  async enqueueAll<Input extends z.ZodObject>(job: JobDefinition<string, Input>, wanted: readonly (EnqueueOptions & { readonly input: z.input<Input> })[]): Promise<string[]> {
    const causes = wanted.flatMap(({ traceparent }) => traceparent ?? []);
    const add = async (enqueued: string | undefined) => {
      const added = await this.queue(job.name).addBulk(
        wanted.map(({ input, id = randomUUID(), delayMs = 0, priority, traceparent }) => ({
          name: job.name,
          data: job.input.parse(input),
          opts: { ...optionsOf(job), ...(this.isToTidy(job) && kept), ...writeTrace({ traceparent, enqueued }), jobId: id, delay: Math.max(0, delayMs), priority: priority ?? job.priority ?? 0 },
        })),
      );
      return added.map(({ id }) => id!);
    };
    return inBatchSpan(this.tracing, `enqueue ${job.name}`, causes, add, { kind: 'producer', attributes: { jobs: wanted.length } });
  }

  /** Starts to work off what waits, in the background; resolves when all workers are connected. */
  async work(): Promise<void> {
    const { backend, definitions, log, silenceMs = 10_000 } = this.parts;
    for (const job of definitions) {
      const worker = backend.worker(job.name, (held, token) => this.process(job, held, token!), {
        concurrency: job.concurrency,
        lockDuration: silenceMs,
        stalledInterval: silenceMs / 2,
        runRetryDelay: silenceMs / 5,
        // A job that takes its process along each time is given up like one that fails.
        maxStalledCount: job.retry.attempts,
      });
      worker.on('error', (error) => log.warn({ err: error, job: job.name }, 'The queue cannot be reached for the moment'));
      worker.on('stalled', (id) => log.warn({ job: job.name, id }, 'The process that ran the job fell silent; it is run again'));
      worker.on('failed', (held, error) => log.warn({ err: error, job: job.name, id: held?.id, attempt: held?.attemptsMade }, 'A try of the job failed'));
      this.workers.push(worker);
    }
    await Promise.all(this.workers.map((worker) => worker.waitUntilReady()));
  }

  /** Takes no more jobs and lets those under way end; those that take longer go back into their queues. */
  async stop(): Promise<void> {
    const { graceMs = 5_000, backend } = this.parts;
    const timer = setTimeout(() => this.stopping.abort(), graceMs);
    await Promise.all(this.workers.map((worker) => worker.close()));
    clearTimeout(timer);
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
    await backend.close();
  }

  /** The queue of a job, opened when first used. */
  queue(name: string): Queue {
    let queue = this.queues.get(name);
    if (!queue) {
      queue = this.parts.backend.queue(name, {});
      queue.on('error', (error) => this.parts.log.warn({ err: error, job: name }, 'The queue cannot be reached for the moment'));
      this.queues.set(name, queue);
    }
    return queue;
  }

  private isToTidy({ name }: AnyJob): boolean {
    const before = this.enqueued.get(name) ?? 0;
    this.enqueued.set(name, before + 1);
    return before % jobsPerTidying === 0;
  }

  private async keepSchedule(job: AnyJob): Promise<void> {
    const queue = this.queue(job.name);
    const schedules = await queue.getJobSchedulers();
    for (const { key } of schedules) if (!job.schedule || key !== job.name) await queue.removeJobScheduler(key!);
    if (!job.schedule) return;
    const { cron, timeZone, input } = job.schedule;
    const [held] = schedules.filter(({ key }) => key === job.name);
    if (held?.pattern === cron && held.tz === timeZone) return;
    await queue.upsertJobScheduler(job.name, { pattern: cron, tz: timeZone }, { name: job.name, data: job.input.parse(input), opts: { ...optionsOf(job), ...kept, priority: job.priority ?? 0 } });
  }

  /** One try, in the trace of whoever asked for the job; one that its schedule brought begins a trace. */
  private process(job: AnyJob, held: Job, token: string): Promise<void> {
    const { traceparent, enqueued } = readTrace(held.opts);
    const details = { kind: 'consumer', attributes: { id: held.id!, attempt: held.attemptsMade + 1 } } as const;
    const work = (own: string | undefined) => this.try(job, held, token, own);
    if (traceparent === undefined) return this.tracing.inTrace(`job ${job.name}`, work, details);
    return this.tracing.inSpan(`job ${job.name}`, traceparent, work, { ...details, links: [enqueued ?? traceparent] });
  }

  private async try(job: AnyJob, held: Job, token: string, traceparent: string | undefined): Promise<void> {
    const id = held.id!;
    const attempt = held.attemptsMade + 1;
    const issue: JobRun['issue'] = (command, input) => this.parts.issue(job, { id, traceparent }, command, input);
    const tellEnd = async (outcome: Outcome) => {
      // Nobody asked for a job that its schedule brought.
      if (held.repeatJobKey === undefined) await this.parts.ended?.(job, { id, traceparent }, outcome);
    };
    const started = performance.now();
    const tell = (outcome: TryOutcome) => this.parts.tried?.(job.name, outcome, (performance.now() - started) / 1000);
    try {
      await runJob(job, held.data, { id, attempt, due: new Date(held.opts.prevMillis ?? held.timestamp), issue }, this.stopping.signal);
    } catch (error) {
      if (error instanceof JobInterrupted) {
        await held.moveToDelayed(Date.now(), token);
        throw new DelayedError();
      }
      const reason = error instanceof Error ? error.message : String(error);
      const isLast = isFinal(error) || attempt >= job.retry.attempts;
      tell(isLast ? 'given_up' : 'failed');
      if (isLast) await tellEnd({ succeeded: false, reason });
      throw isFinal(error) ? Object.assign(new UnrecoverableError(reason), { cause: error }) : error;
    }
    tell('succeeded');
    await tellEnd({ succeeded: true });
  }
}

const optionsOf = ({ retry: { attempts, backoff } }: AnyJob): JobsOptions => ({
  attempts,
  backoff: { type: backoff.type, delay: backoff.delayMs },
  sizeLimit: largestInput_bytes,
});
