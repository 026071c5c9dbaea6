import { isPassing, Refusal } from '../../domain/kit/index.js';
import type { AnyJob, JobRun } from './define.js';

/** A try that took longer than its job allows. */
export class JobTimedOut extends Error {
  override readonly name = 'JobTimedOut';
}

/** The process stops; the job goes on in another one, or after the next start. */
export class JobInterrupted extends Error {
  override readonly name = 'JobInterrupted';
}

/**
 * Tries a job once: within its time, and only until the process stops. A job that goes on in spite of its signal is
 * left behind, and what it still does counts as done by this try.
 */
export async function runJob(job: AnyJob, data: unknown, run: Omit<JobRun, 'signal'>, stopping: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(new JobTimedOut(`${job.name} took longer than ${job.timeoutMs} ms`)), job.timeoutMs);
  const stop = () => ended.abort(new JobInterrupted(`${job.name} was interrupted by the stop of its process`));
  const cut = new Promise<never>((_, reject) => ended.signal.addEventListener('abort', () => reject(ended.signal.reason), { once: true }));
  stopping.addEventListener('abort', stop, { once: true });
  if (stopping.aborted) stop();
  try {
    const input = job.input.parse(data);
    await Promise.race([job.run(input, { ...run, signal: ended.signal }), cut]);
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener('abort', stop);
  }
}

/** Whether trying again is pointless: the platform has said a considered no, or the input is not one. */
export function isFinal(error: unknown): boolean {
  if (error instanceof Refusal) return !isPassing(error);
  return error instanceof Error && error.name === 'ZodError';
}
