import { z } from 'zod';
import { pipelineStep } from '../../../domain/features/pipelines/definition.js';
import { pipelineEvents, pipelineRunEvents } from '../../../domain/features/pipelines/events.js';
import { defineView } from '../../engine/define.js';
import type { EventInfo } from '../../kit/view.js';

/** What is known of a pipeline: the row of the view, and the answer on every wire. */
export const pipelineRow = z
  .object({
    project: z.string(),
    pipeline: z.string(),
    version: z.int(),
    source: z.string(),
    steps: z.array(pipelineStep),
    target: z.string(),
    owner: z.string(),
    description: z.string(),
    tags: z.record(z.string(), z.string()),
    archived: z.boolean(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    updatedAt: z.iso.datetime(),
    etag: z.string(),
  })
  .meta({ id: 'Pipeline' });

/** One row a pipeline. */
export const pipelinesView = defineView({
  name: 'pipelines',
  version: 2,
  table: 'pipelines',
  history: true,
  row: pipelineRow,
  key: ['project', 'pipeline'],
  events: pipelineEvents,
  keyOf: ({ data }) => ({ project: data.project, pipeline: data.pipeline }),
  on: {
    PipelineCreated: (_, data, info) => ({ ...data, archived: false, createdAt: info.recordedAt, createdBy: info.actor, ...touched(info) }),
    PipelineVersionCreated: (row, { version, source, steps, target }, info) => row && { ...row, version, source, steps, target, ...touched(info) },
    PipelineArchived: (row, _, info) => row && { ...row, archived: true, ...touched(info) },
  },
});

export const pipelineRunStates = ['REQUESTED', 'RUNNING', 'FINISHED', 'FAILED'] as const;

/** What is known of one application of a pipeline. */
export const pipelineRunRow = z
  .object({
    project: z.string(),
    pipeline: z.string(),
    run: z.string(),
    state: z.enum(pipelineRunStates).meta({ id: 'PipelineRunState' }),
    /** The range of event times; open where a bound is left out. */
    start: z.iso.datetime().optional(),
    end: z.iso.datetime().optional(),
    /** The version applied; 0 before the start. */
    version: z.int(),
    /** Everything up to here was taken in; empty before the start. */
    position: z.string(),
    /** In how many parts the work is done, and how many of them are. */
    slices: z.int(),
    slicesDone: z.int(),
    /** Of the present attempt; what the target held already is read, but not written. */
    rowsRead: z.int(),
    rowsWritten: z.int(),
    /** Why it failed; else empty. */
    error: z.string(),
    attempt: z.int(),
    requestedAt: z.iso.datetime(),
    requestedBy: z.string(),
    updatedAt: z.iso.datetime(),
    etag: z.string(),
  })
  .meta({ id: 'PipelineRun' });

/** One row for each application of a pipeline. */
export const pipelineRunsView = defineView({
  name: 'pipeline-runs',
  version: 2,
  table: 'pipeline_runs',
  history: true,
  row: pipelineRunRow,
  key: ['project', 'pipeline', 'run'],
  events: pipelineRunEvents,
  keyOf: ({ data }) => ({ project: data.project, pipeline: data.pipeline, run: data.run }),
  on: {
    PipelineRunRequested: (_, { project, pipeline, run, start, end, attempt }, info) => ({ project, pipeline, run, start: utc(start), end: utc(end), attempt, state: 'REQUESTED' as const, version: 0, position: '', ...nothing, slices: 0, error: '', requestedAt: info.recordedAt, requestedBy: info.actor, ...touched(info) }),
    PipelineRunStarted: (row, { version, slices, position }, info) => row && { ...row, state: 'RUNNING' as const, version, slices, position, ...nothing, ...touched(info) },
    PipelineRunAdvanced: (row, { slicesDone, rowsRead, rowsWritten }, info) => row && { ...row, slicesDone, rowsRead, rowsWritten, ...touched(info) },
    PipelineRunFinished: (row, { rowsRead, rowsWritten }, info) => row && { ...row, state: 'FINISHED' as const, slicesDone: row.slices, rowsRead, rowsWritten, ...touched(info) },
    PipelineRunFailed: (row, { reason }, info) => row && { ...row, state: 'FAILED' as const, error: reason, ...touched(info) },
  },
});

const nothing = { slicesDone: 0, rowsRead: 0, rowsWritten: 0 };

const utc = (time: string | undefined): string | undefined => time && new Date(time).toISOString();

const touched = (info: EventInfo) => ({ updatedAt: info.recordedAt, etag: `${info.revision}` });
