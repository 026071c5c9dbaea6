import { z } from 'zod';
import { defineEvent, description, resourceName, type EventOf } from '../../kit/index.js';
import { tags } from '../definition.js';
import { pipelineStep } from './definition.js';

const ofPipeline = { project: resourceName, pipeline: resourceName };
const ofRun = { ...ofPipeline, run: resourceName };
const version = z.int().positive();
const flow = { version, source: z.string(), steps: z.array(pipelineStep).min(1), target: z.string() };
const moment = z.iso.datetime({ offset: true });
const count = z.int().nonnegative();
const counts = { rowsRead: count, rowsWritten: count };

/** What happens to a pipeline. The steps say which features of the target come from what. */
export const pipelineEvents = [
  defineEvent('PipelineCreated', z.object({ ...ofPipeline, ...flow, owner: z.string(), description, tags })),
  defineEvent('PipelineVersionCreated', z.object({ ...ofPipeline, ...flow })),
  defineEvent('PipelineArchived', z.object({ ...ofPipeline, reason: z.string() })),
] as const;
export type PipelineEvent = EventOf<(typeof pipelineEvents)[number]>;

/** What becomes of one application of a pipeline. */
export const pipelineRunEvents = [
  /** Also when a run that failed is asked for again. */
  defineEvent('PipelineRunRequested', z.object({ ...ofRun, start: moment.optional(), end: moment.optional(), attempt: z.int().positive() })),
  defineEvent('PipelineRunStarted', z.object({ ...ofRun, ...flow, slices: count, position: z.string() })),
  defineEvent('PipelineRunAdvanced', z.object({ ...ofRun, slicesDone: count, ...counts })),
  defineEvent('PipelineRunFinished', z.object({ ...ofRun, ...counts })),
  defineEvent('PipelineRunFailed', z.object({ ...ofRun, reason: z.string() })),
] as const;
export type PipelineRunEvent = EventOf<(typeof pipelineRunEvents)[number]>;
