import { Refusal, same, type Decide } from '../../kit/index.js';
import type { PipelineFlow, PipelineStep } from './definition.js';
import type { PipelineEvent, PipelineRunEvent } from './events.js';
import type { Pipeline, PipelineLabels, PipelineRun, PipelineVersion } from './state.js';

type OfPipeline = { project: string; pipeline: string };
type OfRun = OfPipeline & { run: string };
type PipelineDecision<Input> = Decide<OfPipeline & Input, Pipeline, PipelineEvent>;
type RunDecision<Input = object> = Decide<OfRun & Input, PipelineRun, PipelineRunEvent>;
type Flow = { source: string; steps: PipelineStep[]; target: string };
type Counts = { rowsRead: number; rowsWritten: number };

/** Creating again as the pipeline now stands is the same wish; another flow under its name is a new version. */
export const createPipeline: PipelineDecision<Flow & PipelineLabels> = (input, state) => {
  const { project, pipeline, source, steps, target, owner, description, tags } = input;
  const flow = { source, steps, target };
  switch (state.status) {
    case 'absent':
      return [{ type: 'PipelineCreated', data: { project, pipeline, version: 1, ...flow, owner, description, tags } }];
    case 'archived':
      throw new Refusal('ALREADY_EXISTS', `Pipeline ${pipeline} is archived; its name is not given again`, { reason: 'PIPELINE_ARCHIVED' });
    case 'active': {
      const { version, ...newest } = state.newest;
      return same(newest, flow) ? [] : [{ type: 'PipelineVersionCreated', data: { project, pipeline, version: version + 1, ...flow } }];
    }
  }
};

export const archivePipeline: PipelineDecision<{ reason: string }> = (input, state) => {
  switch (state.status) {
    case 'absent':
      throw pipelineAbsent(input);
    case 'archived':
      return [];
    case 'active':
      return [{ type: 'PipelineArchived', data: input }];
  }
};

/** A run under its name is asked for once; one that failed is taken up again. */
export const applyPipeline: RunDecision<{ start?: string; end?: string }> = ({ project, pipeline, run, start, end }, state) => {
  if (start !== undefined && end !== undefined && Date.parse(start) > Date.parse(end)) throw new Refusal('INVALID_ARGUMENT', 'start lies after the end', { reason: 'INVALID_INPUT', fields: [{ field: 'start', description: 'lies after the end' }] });
  const requested = (attempt: number): PipelineRunEvent[] => [{ type: 'PipelineRunRequested', data: { project, pipeline, run, start, end, attempt } }];
  if (state.status === 'absent') return requested(1);
  if (!same({ start, end }, { start: state.start, end: state.end })) throw new Refusal('ALREADY_EXISTS', `Run ${run} of pipeline ${pipeline} exists over another range`, { reason: 'PIPELINE_RUN_EXISTS' });
  return state.status === 'failed' ? requested(state.attempt + 1) : [];
};

/** A try that was taken for lost may start again: it finds what is written. */
export const startPipelineRun: RunDecision<PipelineFlow & { version: number; slices: number; position: string }> = (input, state) => underWay(state, { type: 'PipelineRunStarted', data: input as never });
export const advancePipelineRun: RunDecision<Counts & { slicesDone: number }> = (input, state) => underWay(state, { type: 'PipelineRunAdvanced', data: input });
export const finishPipelineRun: RunDecision<Counts> = (input, state) => underWay(state, { type: 'PipelineRunFinished', data: input });
export const failPipelineRun: RunDecision<{ reason: string }> = (input, state) => underWay(state, { type: 'PipelineRunFailed', data: input });

/** The flow of a pipeline that may be applied. */
export function requireActivePipeline(name: OfPipeline, state: Pipeline): PipelineVersion {
  if (state.status === 'absent') throw pipelineAbsent(name);
  if (state.status === 'active') return state.newest;
  throw new Refusal('FAILED_PRECONDITION', `Pipeline ${name.pipeline} is archived`, { reason: 'PIPELINE_ARCHIVED' });
}

const underWay = (state: PipelineRun, event: PipelineRunEvent): PipelineRunEvent[] => (state.status === 'requested' || state.status === 'running' ? [event] : []);

const pipelineAbsent = ({ project, pipeline }: OfPipeline) =>
  new Refusal('NOT_FOUND', `Pipeline ${pipeline} does not exist in project ${project}`, { reason: 'PIPELINE_NOT_FOUND', metadata: { pipeline } });
