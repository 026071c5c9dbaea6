import { z } from 'zod';
import { owner, tags } from '../domain/features/definition.js';
import { trainingSetStream } from '../domain/features/streams.js';
import { describeTrainingSet, saveTrainingSet } from '../domain/features/training-sets/decisions.js';
import { trainingSetEvents } from '../domain/features/training-sets/events.js';
import { trainingSet } from '../domain/features/training-sets/state.js';
import { description, resourceName } from '../domain/kit/index.js';
import { defineCommand, defineInnerCommand } from './kit/command.js';

const ofTrainingSet = {
  permission: 'features.define',
  decider: trainingSet,
  stream: (input: { project: string; trainingSet: string }) => trainingSetStream(input.project, input.trainingSet),
} as const;

const name = { project: resourceName, trainingSet: resourceName };
const labels = { owner: owner.default(''), description: description.default(''), tags: tags.default({}) };

/** What a caller says of a training set besides its question. */
export const trainingSetLabels = z.strictObject({ ...name, ...labels });

/** Records what was asked and what came of it; the rows have been read and hashed by then, which a decision could not do. */
export const recordTrainingSet = defineInnerCommand({
  ...ofTrainingSet,
  name: 'SaveTrainingSet',
  input: trainingSetEvents[0].data,
  decide: saveTrainingSet,
  creates: true,
});

export const trainingSetCommands = [
  defineCommand({
    ...ofTrainingSet,
    name: 'DescribeTrainingSet',
    summary: 'Changes what a training set says about itself: its owner, description and tags',
    http: { method: 'POST', path: '/api/v1/projects/{project}/training-sets/{trainingSet}:describe' },
    input: z.object({ ...name, ...labels }),
    decide: describeTrainingSet,
  }),
] as const;
