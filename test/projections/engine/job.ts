import { platformJobs, type Housekeeping } from '../../../src/commands/jobs/index.js';
import type { JobRun } from '../../../src/platform/jobs/define.js';

const nothing = async () => undefined;
const run: JobRun = { id: 'a', attempt: 1, due: new Date(0), signal: new AbortController().signal, issue: nothing };

/** Runs one of the platform's own jobs, with nothing to look after but what is given. */
export function runPlatformJob(wanted: string, given: Partial<Housekeeping>): Promise<void> {
  const idle = { clearLeftovers: nothing, removeFormers: nothing, removeEndedOperations: nothing, compareAll: nothing, clearQuarantine: nothing, clearTrainingSetFiles: nothing };
  const job = platformJobs({ ...idle, ...given }).find(({ name, schedule }) => name === wanted && schedule !== undefined);
  if (!job) throw new Error(`No schedule brings ${wanted}`);
  return job.run({}, run);
}
