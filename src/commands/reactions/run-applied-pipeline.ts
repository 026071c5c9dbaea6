import { pipelineRunEvents } from '../../domain/features/pipelines/events.js';
import { requestJobCommand } from '../jobs.js';
import { pipelineJobId, runPipelineJob } from '../jobs/run-pipeline.js';
import { defineReaction } from './define.js';

const [requested] = pipelineRunEvents;

/** Has the run of a pipeline done as a job. */
export const runAppliedPipeline = defineReaction({
  name: 'run-applied-pipeline',
  since: '2026-01-01T00:00:00Z',
  events: [requested],
  react: ({ data }) => [{ command: requestJobCommand, input: { id: pipelineJobId(data), job: runPipelineJob, input: { project: data.project, pipeline: data.pipeline, run: data.run, ...(data.start && { start: data.start }), ...(data.end && { end: data.end }) } } }],
});
