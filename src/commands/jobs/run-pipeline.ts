import { createHash } from 'node:crypto';
import { z } from 'zod';
import { resourceName, isPassing, Refusal } from '../../domain/kit/index.js';
import { defineJob, type AnyJob, type JobRun } from '../../platform/jobs/define.js';
import { failPipelineRunCommand } from '../pipelines/runs.js';

export const runPipelineJob = 'run-pipeline';

const attempts = 5;

/** One application of a pipeline: the range of event times, open where a bound is left out. */
const pipelineOrder = z.strictObject({ project: resourceName, pipeline: resourceName, run: resourceName, start: z.string().optional(), end: z.string().optional() });
export type PipelineOrder = z.output<typeof pipelineOrder>;

/** The job of a run: the same for the same attempt, however often it is asked for. */
export const pipelineJobId = ({ project, pipeline, run, attempt }: { project: string; pipeline: string; run: string; attempt: number }): string =>
  `pipeline-${createHash('sha256').update(`${project}.${pipeline}.${run}`).digest('base64url').slice(0, 32)}-${attempt}`;

/** The job that applies pipelines. A refusal is its run's end; whatever else fails is tried again, and finds what is written. */
export const pipelineJob = (apply: (order: PipelineOrder, run: JobRun) => Promise<void>): AnyJob =>
  defineJob({
    name: runPipelineJob,
    summary: 'Applies a pipeline: computes features of features, and writes them',
    input: pipelineOrder,
    retry: { attempts, backoff: { type: 'exponential', delayMs: 2_000 } },
    timeoutMs: 20 * 3_600_000,
    concurrency: 1,
    async run(order, run) {
      try {
        await apply(order, run);
      } catch (error) {
        const final = error instanceof Refusal && !isPassing(error);
        if (!final && (run.attempt < attempts || run.signal.aborted)) throw error;
        const { project, pipeline, run: of } = order;
        const reason = error instanceof Refusal ? error.message : 'It failed again and again; the log of the platform says why';
        await run.issue(failPipelineRunCommand, { project, pipeline, run: of, reason: reason.slice(0, 1024) });
        if (!final) throw error;
      }
    },
  });
