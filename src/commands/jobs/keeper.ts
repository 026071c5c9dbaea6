import type { Queue } from 'bullmq';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { z } from 'zod';
import type { JobOperations, JobsStatus } from '../../api/core.js';
import { jobEvents } from '../../domain/jobs/events.js';
import { job as jobDecider, jobStream } from '../../domain/jobs/state.js';
import { canonicalJson, Refusal } from '../../domain/kit/index.js';
import { backoffMs, pause } from '../../platform/eventstore/backoff.js';
import type { EventStore, Position, StoredEvent } from '../../platform/eventstore/port.js';
import type { AnyJob, JobDefinition, Jobs, JobsParts } from '../../platform/jobs/index.js';
import type { QueueCounts } from '../../platform/telemetry/job-metrics.js';
import { traceparentIn } from '../../platform/telemetry/traceparent.js';
import { recordJobFailureCommand, recordJobSuccessCommand, requestJobCommand, retryJobCommand } from '../jobs.js';
import type { Aggregates } from '../kit/aggregates.js';
import type { CommandReply, InnerCommand, RequestContext } from '../kit/command.js';
import type { Execute } from '../kit/traced.js';
import { lacksJobs, putInQueue, refill, takeUpFailed, type GiveUp } from './refill.js';
import { readCounts, readJobsStatus } from './status.js';

export interface JobKeeperOptions {
  readonly eventStore: EventStore;
  readonly pool: Pool;
  readonly aggregates: Aggregates;
  readonly definitions: readonly AnyJob[];
  readonly execute: Execute;
  /** Resolves when the view of the jobs holds everything up to the position. */
  readonly waitForView: (position: Position, signal: AbortSignal) => Promise<void>;
  /** Opens the queues; called once, when they are first needed. */
  readonly open: (parts: Omit<JobsParts, 'backend'>) => Promise<Jobs>;
  readonly log: JobsParts['log'];
  /** How often it is looked whether the queues have lost something. */
  readonly lookEveryMs?: number;
}

const longestPause_ms = 15_000;
const longestReason = 1_000;

/** Brings what the log says of jobs into the queues, and what becomes of them into the log. A queue that is lost is filled again. */
export class JobKeeper implements JobOperations {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private jobs: Promise<Jobs> | undefined;

  constructor(private readonly options: JobKeeperOptions) {}

  /** Starts to work off what waits, in the background; without jobs it does nothing. */
  start(): void {
    if (this.options.definitions.length > 0) this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.close();
  }

  /** Asks for a job: it stands in the log, and runs at least once, at the given time or as soon as it is its turn. */
  async request<Input extends z.ZodObject>(
    job: JobDefinition<string, Input>,
    input: z.input<Input>,
    context: RequestContext,
    { id = uuidv7(), notBefore }: { id?: string; notBefore?: Date } = {},
  ): Promise<CommandReply & { readonly id: string }> {
    const order = { id, job: job.name, input: job.input.parse(input), notBefore: notBefore?.toISOString() ?? null };
    return { id, ...(await this.options.execute(requestJobCommand, order, context)) };
  }

  /** Has a job tried again that was given up, one that a schedule brought included. */
  async retry(id: string, context: RequestContext): Promise<void> {
    const jobs = await this.queues();
    const { state } = await this.options.aggregates.load(jobDecider, jobStream(id));
    if (state.status !== 'absent') return void (await this.options.execute(retryJobCommand, { id }, context));
    for (const { name } of this.options.definitions) {
      const held = await jobs.queue(name).getJob(id);
      if (!held) continue;
      if (await held.isFailed()) await held.retry('failed', { resetAttemptsMade: true });
      return;
    }
    throw new Refusal('NOT_FOUND', `Job ${id} does not exist`, { reason: 'JOB_NOT_FOUND' });
  }

  async status(): Promise<JobsStatus> {
    return readJobsStatus(this.options.pool, await this.queues(), this.options.definitions);
  }

  async counts(): Promise<readonly QueueCounts[]> {
    return this.jobs ? readCounts(await this.jobs, this.options.definitions) : [];
  }

  async openQueues(): Promise<readonly Queue[]> {
    const jobs = await this.queues();
    return this.options.definitions.map(({ name }) => jobs.queue(name));
  }

  /** The queues, opened when first asked for. */
  queues(): Promise<Jobs> {
    this.jobs ??= this.open();
    // What could not be opened is tried again by whoever asks next.
    this.jobs.catch(() => (this.jobs = undefined));
    return this.jobs;
  }

  /** Queues that were not ready when first used never would be: they are let go, and opened anew. */
  private async close(): Promise<void> {
    // Whoever was refused the queues has heard why.
    const jobs = await this.jobs?.catch(() => undefined);
    this.jobs = undefined;
    await jobs?.stop();
  }

  private async open(): Promise<Jobs> {
    const { definitions, log, open, execute } = this.options;
    const jobs = await open({
      definitions,
      log,
      issue: (job, { id, traceparent }, command, input) => execute(command as InnerCommand, input, { caller: callerOf(job), traceparent, idempotencyKey: `${id} ${command.name} ${canonicalJson(input)}` }),
      ended: async (job, { id, traceparent }, outcome) => {
        if (outcome.succeeded) await execute(recordJobSuccessCommand, { id }, { caller: callerOf(job), traceparent });
        else await this.giveUp(job, traceparent)(id, outcome.reason);
      },
    });
    try {
      await jobs.prepare();
      return jobs;
    } catch (error) {
      await jobs.stop();
      throw error;
    }
  }

  private giveUp(job: AnyJob, traceparent?: string): GiveUp {
    return async (id, reason) => void (await this.options.execute(recordJobFailureCommand, { id, reason: reason.slice(0, longestReason) }, { caller: callerOf(job), traceparent }));
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let working = false;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const jobs = await this.queues();
        const from = await this.options.eventStore.endOfLog();
        await jobs.prepare();
        await this.options.waitForView(from, signal);
        for (const job of this.options.definitions) await refill(this.options.pool, jobs, job, this.giveUp(job));
        if (!working) await jobs.work();
        working = true;
        failures = 0;
        await this.follow(jobs, from);
      } catch (error) {
        if (signal.aborted) return;
        this.options.log.warn({ err: error }, 'The queues are not filled for the moment');
        if (!working) await this.close();
        await pause(backoffMs(++failures, longestPause_ms), signal);
      }
    }
  }

  /** Puts in the queues what is asked for from now on; ends with an error, or when something is missing in a queue. */
  private async follow(jobs: Jobs, from: Position): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, ended.signal]);
    const looking = this.look(jobs, signal).finally(() => ended.abort());
    // It may fail before it is awaited below, which would end the process.
    looking.catch(() => undefined);
    try {
      for await (const { events } of this.options.eventStore.subscribe({ from, filter: { eventTypePrefixes: [requested.type, retried.type] }, signal })) await this.put(jobs, events);
    } finally {
      ended.abort();
      await looking;
    }
  }

  /** Returns when a queue lacks jobs that wait. A queue in which none waits may have been lost all the same, and its schedule with it. */
  private async look(jobs: Jobs, signal: AbortSignal): Promise<void> {
    while (await pause(this.options.lookEveryMs ?? 60_000, signal)) {
      await jobs.keepSchedules();
      for (const job of this.options.definitions) if (await lacksJobs(this.options.pool, jobs, job)) return;
    }
  }

  private async put(jobs: Jobs, events: readonly StoredEvent[]): Promise<void> {
    const asked = [...new Map(events.map(({ data, recordedAt, metadata }) => [(data as { id: string }).id, { since: recordedAt, traceparent: traceparentIn(metadata) ?? null }]))];
    const states = await Promise.all(asked.map(async ([id, how]) => ({ id, ...how, ...(await this.options.aggregates.load(jobDecider, jobStream(id))).state })));
    for (const job of this.options.definitions) {
      const waiting = states.flatMap((state) => (state.status === 'waiting' && state.job === job.name ? [{ ...state, notBefore: state.notBefore === null ? null : new Date(state.notBefore) }] : []));
      await putInQueue(jobs, job, waiting, this.giveUp(job));
      if (waiting.length > 0 && events.some(({ type }) => type === retried.type)) await takeUpFailed(jobs, job, waiting, this.giveUp(job));
    }
  }
}

const [requested, retried] = jobEvents;
const callerOf = (job: AnyJob): RequestContext['caller'] => ({ actor: `job:${job.name}`, may: () => true });
