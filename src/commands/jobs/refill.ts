import type { Pool } from 'pg';
import type { AnyJob, Jobs } from '../../platform/jobs/index.js';

/** A job that was asked for and has not ended, as the log knows it. */
export interface WaitingJob {
  readonly id: string;
  readonly input: unknown;
  readonly notBefore: Date | null;
  /** When it was asked for, or asked for again. */
  readonly since: Date;
  /** The trace of whoever asked for it. */
  readonly traceparent: string | null;
}

/** Told of jobs that were given up without anybody having said so. */
export type GiveUp = (id: string, reason: string) => Promise<void>;

const page = 1_000;
const selectPage = `
  select id, input, not_before as "notBefore", since, traceparent from requested_jobs
  where status = 'waiting' and job = $1 and id > $2 order by id limit ${page}`;
const countWaiting = `select count(*)::int as count from requested_jobs where status = 'waiting' and job = $1`;

/** Whether the queue holds fewer jobs than wait: some were lost, or were given up unheard. */
export async function lacksJobs(pool: Pool, jobs: Jobs, job: AnyJob): Promise<boolean> {
  const { rows } = await pool.query(countWaiting, [job.name]);
  if (rows[0].count === 0) return false;
  return (await jobs.queue(job.name).getJobCountByTypes('wait', 'active', 'delayed', 'prioritized')) < rows[0].count;
}

/** Puts everything that waits into its queue; what is there already stays as it is. */
export async function refill(pool: Pool, jobs: Jobs, job: AnyJob, giveUp: GiveUp): Promise<void> {
  for (let after = ''; ; ) {
    const { rows } = await pool.query<WaitingJob>(selectPage, [job.name, after]);
    await putInQueue(jobs, job, rows, giveUp);
    if (rows.length > 0) await takeUpFailed(jobs, job, rows, giveUp);
    if (rows.length < page) return;
    after = rows.at(-1)!.id;
  }
}

/** Puts jobs into their queue. A job whose input is none is given up at once. */
export async function putInQueue(jobs: Jobs, job: AnyJob, waiting: readonly WaitingJob[], giveUp: GiveUp): Promise<void> {
  const wanted = [];
  for (const { id, input, notBefore, traceparent } of waiting) {
    const parsed = job.input.safeParse(input);
    if (parsed.success) wanted.push({ id, input: parsed.data, delayMs: notBefore ? notBefore.getTime() - Date.now() : 0, traceparent: traceparent ?? undefined });
    else await giveUp(id, parsed.error.message);
  }
  if (wanted.length > 0) await jobs.enqueueAll(job, wanted);
}

/** A waiting job that lies in its queue as given up was asked for again since, or nobody has heard of its end. */
export async function takeUpFailed(jobs: Jobs, job: AnyJob, waiting: readonly WaitingJob[], giveUp: GiveUp): Promise<void> {
  const sinceOf = new Map(waiting.map(({ id, since }) => [id, since.getTime()]));
  for (const failed of await jobs.queue(job.name).getFailed()) {
    const since = sinceOf.get(failed.id!);
    if (since === undefined) continue;
    if (failed.finishedOn! < since) await failed.retry('failed', { resetAttemptsMade: true });
    else await giveUp(failed.id!, failed.failedReason);
  }
}
