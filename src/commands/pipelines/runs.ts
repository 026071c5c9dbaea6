import { z } from 'zod';
import { advancePipelineRun, failPipelineRun, finishPipelineRun, startPipelineRun } from '../../domain/features/pipelines/decisions.js';
import { pipelineStep } from '../../domain/features/pipelines/definition.js';
import { pipelineRun } from '../../domain/features/pipelines/state.js';
import { pipelineRunStream } from '../../domain/features/streams.js';
import { resourceName } from '../../domain/kit/index.js';
import { defineInnerCommand } from '../kit/command.js';

const ofRun = {
  permission: 'features.write',
  decider: pipelineRun,
  stream: (input: { project: string; pipeline: string; run: string }) => pipelineRunStream(input.project, input.pipeline, input.run),
} as const;

const run = { project: resourceName, pipeline: resourceName, run: resourceName };
const count = z.int().nonnegative();
const counts = { rowsRead: count, rowsWritten: count };

/** Notes which version is applied, and to what: everything up to a position, in so many slices. */
export const startPipelineRunCommand = defineInnerCommand({
  ...ofRun,
  name: 'StartPipelineRun',
  input: z.object({ ...run, version: z.int().positive(), source: z.string(), steps: z.array(pipelineStep).min(1), target: z.string(), slices: count, position: z.string() }),
  decide: startPipelineRun,
});

export const advancePipelineRunCommand = defineInnerCommand({ ...ofRun, name: 'AdvancePipelineRun', input: z.object({ ...run, slicesDone: count, ...counts }), decide: advancePipelineRun });
export const finishPipelineRunCommand = defineInnerCommand({ ...ofRun, name: 'FinishPipelineRun', input: z.object({ ...run, ...counts }), decide: finishPipelineRun });
export const failPipelineRunCommand = defineInnerCommand({ ...ofRun, name: 'FailPipelineRun', input: z.object({ ...run, reason: z.string().max(1024) }), decide: failPipelineRun });
