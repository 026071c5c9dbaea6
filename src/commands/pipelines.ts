import { z } from 'zod';
import { requireVersion } from '../domain/features/decisions.js';
import { owner, tags } from '../domain/features/definition.js';
import { applyPipeline, archivePipeline, createPipeline, requireActivePipeline } from '../domain/features/pipelines/decisions.js';
import { pipelineStep } from '../domain/features/pipelines/definition.js';
import { pipeline, pipelineRun } from '../domain/features/pipelines/state.js';
import { groupReference, versionedGroup } from '../domain/features/reference.js';
import { featureGroup } from '../domain/features/state.js';
import { featureGroupStream, pipelineRunStream, pipelineStream } from '../domain/features/streams.js';
import { description, resourceName } from '../domain/kit/index.js';
import { defineCommand, together } from './kit/command.js';
import { requireFilled, requireSameEntities, stepRequirements } from './pipelines/fitting.js';

const ofPipeline = {
  permission: 'features.define',
  decider: pipeline,
  stream: (input: { project: string; pipeline: string }) => pipelineStream(input.project, input.pipeline),
} as const;

const name = { project: resourceName, pipeline: resourceName };

const wholePipeline = z
  .object({ ...name, source: groupReference.describe('The group whose rows are read, or a version of it, such as cards@2.'), steps: z.array(pipelineStep).min(1).max(200).describe('What fills which feature of the target.'), target: groupReference.describe('The group whose features are filled, or a version of it.'), owner: owner.default(''), description: description.default(''), tags: tags.default({}) })
  .superRefine(({ source, target, steps }, context) => {
    if (versionedGroup(source).group === versionedGroup(target).group) context.addIssue({ code: 'custom', path: ['target'], message: 'is the source; a feature of the group itself is computed on write' });
    const taken = new Set<string>();
    steps.forEach(({ feature }, at) => {
      if (taken.has(feature)) context.addIssue({ code: 'custom', path: ['steps', at, 'feature'], message: `is ${feature}, which another step fills` });
      taken.add(feature);
    });
  });

/** The groups are there, with the same keys; every step is filled from what there is, with the type that the target has. */
function fitting({ project, source, target, steps }: z.output<typeof wholePipeline>) {
  const [from, to] = [source, target].map(versionedGroup) as [{ group: string; version?: number }, { group: string; version?: number }];
  const groups = [from, to].map(({ group }) => ({ decider: featureGroup, stream: featureGroupStream(project, group) }));
  return [
    ...together(groups, ([sourceState, targetState]) => {
      const [given, filled] = [requireVersion({ project, ...from }, sourceState), requireVersion({ project, ...to }, targetState)];
      requireSameEntities(given, filled);
      requireFilled(steps, filled);
    }),
    ...steps.flatMap((step, at) => stepRequirements(project, step, at, { target: to, targetStream: featureGroupStream(project, to.group) })),
  ];
}

const moment = z.iso.datetime({ offset: true });

export const pipelineCommands = [
  defineCommand({
    ...ofPipeline,
    name: 'CreatePipeline',
    summary: 'Creates a pipeline, or a new version of it: for every row of a group features of another, computed as of its time',
    http: { method: 'POST', path: '/api/v1/projects/{project}/pipelines' },
    input: wholePipeline,
    requires: fitting,
    decide: createPipeline,
    creates: true,
  }),
  defineCommand({
    ...ofPipeline,
    name: 'ArchivePipeline',
    summary: 'Ends a pipeline: what it wrote stays, it is applied no more',
    http: { method: 'POST', path: '/api/v1/projects/{project}/pipelines/{pipeline}:archive' },
    input: z.object({ ...name, reason: z.string().min(1).max(1024) }),
    decide: archivePipeline,
  }),
  defineCommand({
    name: 'ApplyPipeline',
    summary: 'Applies a pipeline to the rows of its source within a range of event times; a run that failed is taken up again',
    permission: 'features.write',
    decider: pipelineRun,
    stream: ({ project, pipeline: of, run }) => pipelineRunStream(project, of, run),
    http: { method: 'POST', path: '/api/v1/projects/{project}/pipelines/{pipeline}:apply' },
    input: z.object({ ...name, run: resourceName.describe('A name for this run; the same name is the same run.'), start: moment.optional().describe('From the first row where it is left out.'), end: moment.optional().describe('Up to the last row where it is left out.') }),
    requires: ({ project, pipeline: of }) => [{ decider: pipeline, stream: pipelineStream(project, of), check: (state) => void requireActivePipeline({ project, pipeline: of }, state) }],
    decide: applyPipeline,
    creates: true,
  }),
] as const;
