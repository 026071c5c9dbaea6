import type { Pool } from 'pg';
import type { JobsStatus } from '../../api/core.js';
import type { AnyJob, Jobs } from '../../platform/jobs/index.js';
import type { QueueCounts } from '../../platform/telemetry/job-metrics.js';

const shownFailures = 100;

/** How all jobs stand: their queues, those given up with their reasons, and how far the reactions are. */
export async function readJobsStatus(pool: Pool, jobs: Jobs, definitions: readonly AnyJob[]): Promise<JobsStatus> {
  const [queues, failed, reactions] = await Promise.all([
    Promise.all(definitions.map((job) => queueStatus(jobs, job))),
    Promise.all(definitions.map((job) => failedJobs(jobs, job))),
    pool.query(`select reaction as name, commit_position::text as position, error from reaction_checkpoints order by reaction`),
  ]);
  return {
    jobs: queues,
    failed: failed.flat().sort((a, b) => (a.failedAt < b.failedAt ? 1 : -1)).slice(0, shownFailures),
    reactions: reactions.rows.map(({ error, ...rest }) => ({ ...rest, ...(error !== null && { error }) })),
  };
}

/** What stands in each queue. */
export const readCounts = (jobs: Jobs, definitions: readonly AnyJob[]): Promise<QueueCounts[]> => Promise.all(definitions.map(({ name }) => queueCounts(jobs, name)));

async function queueStatus(jobs: Jobs, { name, summary, schedule }: AnyJob): Promise<JobsStatus['jobs'][number]> {
  const [counts, scheduler] = await Promise.all([queueCounts(jobs, name), schedule && jobs.queue(name).getJobScheduler(name)]);
  const next = scheduler?.next === undefined ? undefined : new Date(scheduler.next).toISOString();
  return { ...counts, summary, ...(schedule && { schedule: `${schedule.cron} ${schedule.timeZone}` }), ...(next && { next }) };
}

async function queueCounts(jobs: Jobs, name: string) {
  const { wait = 0, prioritized = 0, active = 0, delayed = 0, completed = 0, failed = 0 } = await jobs.queue(name).getJobCounts('wait', 'prioritized', 'active', 'delayed', 'completed', 'failed');
  return { name, waiting: wait + prioritized, active, delayed, completed, failed };
}

async function failedJobs(jobs: Jobs, { name }: AnyJob): Promise<JobsStatus['failed'][number][]> {
  const held = await jobs.queue(name).getFailed(0, shownFailures - 1);
  return held.map(({ id, failedReason, attemptsMade, finishedOn }) => ({ id: id!, job: name, reason: failedReason, attempts: attemptsMade, failedAt: new Date(finishedOn ?? 0).toISOString() }));
}
