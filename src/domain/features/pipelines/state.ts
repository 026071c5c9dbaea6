import { defineDecider } from '../../kit/index.js';
import type { PipelineFlow } from './definition.js';
import { pipelineEvents, pipelineRunEvents } from './events.js';

export interface PipelineVersion extends PipelineFlow {
  readonly version: number;
}

export type Pipeline = { status: 'absent' } | { status: 'active' | 'archived'; newest: PipelineVersion; labels: PipelineLabels };

export interface PipelineLabels {
  readonly owner: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

export const pipeline = defineDecider({
  category: 'pipeline',
  events: pipelineEvents,
  initialState: { status: 'absent' } as Pipeline,
  on: {
    PipelineCreated: (_, { version, source, steps, target, owner, description, tags }): Pipeline => ({ status: 'active', newest: { version, source, steps, target }, labels: { owner, description, tags } }),
    PipelineVersionCreated: (state, { version, source, steps, target }): Pipeline => (state.status === 'absent' ? state : { ...state, newest: { version, source, steps, target } }),
    PipelineArchived: (state): Pipeline => (state.status === 'absent' ? state : { ...state, status: 'archived' }),
  },
});

export type PipelineRun = { status: 'absent' } | { status: 'requested' | 'running' | 'finished' | 'failed'; start?: string; end?: string; attempt: number };

const to = (state: PipelineRun, status: 'running' | 'finished' | 'failed'): PipelineRun => (state.status === 'absent' ? state : { ...state, status });

export const pipelineRun = defineDecider({
  category: 'pipeline_run',
  events: pipelineRunEvents,
  initialState: { status: 'absent' } as PipelineRun,
  on: {
    PipelineRunRequested: (_, { start, end, attempt }): PipelineRun => ({ status: 'requested', start, end, attempt }),
    PipelineRunStarted: (state): PipelineRun => to(state, 'running'),
    PipelineRunAdvanced: (state): PipelineRun => state,
    PipelineRunFinished: (state): PipelineRun => to(state, 'finished'),
    PipelineRunFailed: (state): PipelineRun => to(state, 'failed'),
  },
});
