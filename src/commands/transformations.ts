import { z } from 'zod';
import { requireVersion } from '../domain/features/decisions.js';
import { owner, tags } from '../domain/features/definition.js';
import { referenceOf, versionedGroup } from '../domain/features/reference.js';
import { featureGroup, type FeatureGroup } from '../domain/features/state.js';
import { featureGroupStream, transformationStream } from '../domain/features/streams.js';
import { archiveTransformation, describeTransformation, registerTransformation } from '../domain/features/transformations/decisions.js';
import { transformationInput, transformationOutput, type TransformationInput } from '../domain/features/transformations/definition.js';
import { compileTransformation } from '../domain/features/transformations/program.js';
import { transformation } from '../domain/features/transformations/state.js';
import { description, Refusal, resourceName } from '../domain/kit/index.js';
import { defineCommand, type Requirement } from './kit/command.js';

const ofTransformation = {
  permission: 'features.define',
  decider: transformation,
  stream: (input: { project: string; transformation: string }) => transformationStream(input.project, input.transformation),
} as const;

const name = { project: resourceName, transformation: resourceName };
const labels = { owner: owner.default(''), description: description.default(''), tags: tags.default({}) };

const wholeTransformation = z
  .object({ ...name, inputs: z.array(transformationInput).min(1).max(100).describe('The features it is computed from, each under a name that expressions use.'), outputs: z.array(transformationOutput).min(1).max(100).describe('What it gives: names, each with an expression or a step of its own.'), ...labels })
  .superRefine(({ inputs, outputs }, context) => {
    const { faults } = compileTransformation(inputs, outputs);
    for (const { field, description: message } of faults) context.addIssue({ code: 'custom', path: pathOf(field), message });
  });

/** `outputs[1].expression` as zod says it. */
const pathOf = (field: string): (string | number)[] => field.split(/[.[\]]+/).filter((part) => part !== '').map((part) => (/^\d+$/.test(part) ? Number(part) : part));

/** Every input is a feature that its group has now, with the type that is said; and no group has the transformation's name, because both stand in the same place of a reference. */
function fitting({ project, transformation: own, inputs }: { project: string; transformation: string; inputs: readonly TransformationInput[] }): Requirement<FeatureGroup>[] {
  const groups = Map.groupBy(inputs.map((input, at) => ({ ...input, at })), ({ feature }) => referenceOf(feature).name);
  const ofGroups = [...groups].map(([named, taken]): Requirement<FeatureGroup> => {
    const { group, version } = versionedGroup(named);
    return { decider: featureGroup, stream: featureGroupStream(project, group), check: (state) => taken.forEach((input) => requireInput(requireVersion({ project, group, version }, state), input)) };
  });
  const free: Requirement<FeatureGroup> = {
    decider: featureGroup,
    stream: featureGroupStream(project, own),
    check: ({ status }) => {
      if (status !== 'absent') throw new Refusal('ALREADY_EXISTS', `${own} is the name of a feature group`, { reason: 'NAME_TAKEN', fields: [{ field: 'transformation', description: 'is the name of a feature group' }] });
    },
  };
  return [...ofGroups, free];
}

function requireInput({ group, features }: { group: string; features: readonly { name: string; type: string }[] }, { feature: text, type, at }: TransformationInput & { at: number }): void {
  const { feature } = referenceOf(text);
  const spec = features.find((one) => one.name === feature);
  if (spec?.type === type) return;
  const [part, fault] = spec ? ['type', `is ${type}, but ${text} is ${spec.type}`] : ['feature', `names ${feature}, which ${group} does not have`];
  const field = `inputs[${at}].${part}`;
  throw new Refusal('INVALID_ARGUMENT', `${field} ${fault}`, { reason: 'INVALID_INPUT', fields: [{ field, description: fault! }] });
}

export const transformationCommands = [
  defineCommand({
    ...ofTransformation,
    name: 'RegisterTransformation',
    summary: 'Registers a transformation, or a new version of it: features computed from features',
    http: { method: 'POST', path: '/api/v1/projects/{project}/transformations' },
    input: wholeTransformation,
    requires: fitting,
    decide: registerTransformation,
    creates: true,
  }),
  defineCommand({
    ...ofTransformation,
    name: 'DescribeTransformation',
    summary: 'Changes what a transformation says about itself: its owner, description and tags',
    http: { method: 'POST', path: '/api/v1/projects/{project}/transformations/{transformation}:describe' },
    input: z.object({ ...name, ...labels }),
    decide: describeTransformation,
  }),
  defineCommand({
    ...ofTransformation,
    name: 'ArchiveTransformation',
    summary: 'Ends a transformation: what uses it goes on working, it gets no new version any more',
    http: { method: 'POST', path: '/api/v1/projects/{project}/transformations/{transformation}:archive' },
    input: z.object({ ...name, reason: z.string().min(1).max(1024) }),
    decide: archiveTransformation,
  }),
] as const;
