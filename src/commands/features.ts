import { z } from 'zod';
import { archiveFeatureGroup, changeFeatureGroupTtl, createFeatureGroup, deleteFeatureEntity, describeFeatureGroup, promoteFeatureGroupVersion, registerFeature, rollBackFeatureGroup, shareFeatureGroup, stageFeatureGroupVersion, unshareFeatureGroup } from '../domain/features/decisions.js';
import { entityKeys, featureSource, featureSpec, type FeatureSpec, mostFeatures, namesDiffer, owner, partitions, tags, ttlSeconds } from '../domain/features/definition.js';
import { featureEntityDeleted } from '../domain/features/deletion.js';
import { featureGroup } from '../domain/features/state.js';
import { featureGroupStream, featureRowsStream, transformationStream } from '../domain/features/streams.js';
import { requireActive } from '../domain/projects/decisions.js';
import { project as projectDecider, projectStream, type Project } from '../domain/projects/state.js';
import { transformation, type Transformation } from '../domain/features/transformations/state.js';
import { description, Refusal, resourceName } from '../domain/kit/index.js';
import { computedFeatures } from './features/computed.js';
import { patternFault } from './features/patterns.js';
import { defineCommand, defineCommandInto, type Requirement } from './kit/command.js';

const ofGroup = {
  permission: 'features.define',
  decider: featureGroup,
  stream: (input: { project: string; group: string }) => featureGroupStream(input.project, input.group),
} as const;

const name = { project: resourceName, group: resourceName };
const withProject = resourceName.describe('The project that may read it.');

/** Refuses a pattern that could never be matched. */
function requirePattern({ constraints: { pattern } }: FeatureSpec, path: PropertyKey[], context: z.RefinementCtx): void {
  const fault = pattern === undefined ? undefined : patternFault(pattern);
  if (fault !== undefined) context.addIssue({ code: 'custom', path: [...path, 'constraints', 'pattern'], message: `is not a regular expression: ${fault}` });
}

const features = z.array(featureSpec).max(mostFeatures).refine(namesDiffer, 'names a feature twice').describe('The features of the version, each with its type and what its values must fulfil.');
const source = featureSource.optional().describe('Where its rows come from, for people and lineage: a table, a topic, a file.');

const wholeGroup = z
  .object({
    ...name,
    entities: entityKeys.describe('The keys that an entity is found by, one to eight.'),
    features: features.default([]),
    source,
    ttlSeconds: ttlSeconds.default(0),
    partitions: partitions.default(4).describe('Streams among which the rows are spread; fixed for ever.'),
    owner: owner.default(''),
    description: description.default(''),
    tags: tags.default({}),
  })
  .superRefine(({ entities, features }, context) => {
    const keys = new Set(entities.map((entity) => entity.name));
    features.forEach((feature, index) => {
      requirePattern(feature, ['features', index], context);
      if (keys.has(feature.name)) context.addIssue({ code: 'custom', path: ['features', index, 'name'], message: 'is the name of a key' });
    });
  });

/** Both stand in the same place of a reference. */
const nameIsFree = ({ project, group }: { project: string; group: string }): Requirement<Transformation>[] => [
  {
    decider: transformation,
    stream: transformationStream(project, group),
    check: ({ status }) => {
      if (status !== 'absent') throw new Refusal('ALREADY_EXISTS', `${group} is the name of a transformation`, { reason: 'NAME_TAKEN', fields: [{ field: 'group', description: 'is the name of a transformation' }] });
    },
  },
];

export const featureCommands = [
  defineCommand({
    ...ofGroup,
    name: 'CreateFeatureGroup',
    summary: 'Creates a feature group: the features of one kind of entity',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups' },
    input: wholeGroup,
    requires: (input) => [...nameIsFree(input), ...computedFeatures(input)],
    decide: createFeatureGroup,
    creates: true,
  }),
  defineCommand({
    ...ofGroup,
    name: 'RegisterFeature',
    summary: 'Adds a feature to the promoted version of a group; rows written before are null in it',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:registerFeature' },
    input: z.object({ ...name, feature: featureSpec.describe('The feature, with its type and what its values must fulfil.') }).superRefine(({ feature }, context) => requirePattern(feature, ['feature'], context)),
    requires: ({ project, group, feature }) => computedFeatures({ project, group, feature }),
    decide: registerFeature,
  }),
  defineCommand({
    ...ofGroup,
    name: 'DescribeFeatureGroup',
    summary: 'Changes what a group says about itself: its owner, description and tags',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:describe' },
    input: z.object({ ...name, owner: owner.default(''), description: description.default(''), tags: tags.default({}) }),
    decide: describeFeatureGroup,
  }),
  defineCommand({
    ...ofGroup,
    name: 'ChangeFeatureGroupTtl',
    summary: 'Changes after how many seconds the values of a group are too old; 0 for never',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:changeTtl' },
    input: z.object({ ...name, ttlSeconds }),
    decide: changeFeatureGroupTtl,
  }),
  defineCommand({
    ...ofGroup,
    name: 'ArchiveFeatureGroup',
    summary: 'Ends a group: its values stay readable, nothing in it changes any more',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:archive' },
    input: z.object({ ...name, reason: z.string().min(1).max(1024) }),
    decide: archiveFeatureGroup,
  }),
  defineCommand({
    ...ofGroup,
    name: 'StageFeatureGroupVersion',
    summary: 'Makes a new version of a group with other features or another source; the bare name goes on meaning the promoted one',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:stageVersion' },
    input: z.object({ ...name, features, source }).superRefine((input, context) => input.features.forEach((feature, index) => requirePattern(feature, ['features', index], context))),
    requires: computedFeatures,
    decide: stageFeatureGroupVersion,
  }),
  defineCommand({
    ...ofGroup,
    name: 'PromoteFeatureGroupVersion',
    summary: 'Makes a version what the bare name of the group means',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:promoteVersion' },
    input: z.object({ ...name, version: z.int().min(1).max(999_999).describe('The number of the version.') }),
    decide: promoteFeatureGroupVersion,
  }),
  defineCommand({
    ...ofGroup,
    name: 'RollBackFeatureGroup',
    summary: 'Makes the version that was promoted before what the bare name means; repeated, it goes back further',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:rollBack' },
    input: z.object(name),
    decide: rollBackFeatureGroup,
  }),
  defineCommand({
    ...ofGroup,
    name: 'ShareFeatureGroup',
    summary: 'Lets another project read a group, as project/group: online, as of any moment and in training sets; it never writes it',
    permission: 'features.share',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:share' },
    input: z.object({ ...name, withProject }),
    requires: (input) => [{ decider: projectDecider, stream: projectStream(input.withProject), check: (state: Project) => requireActive(input.withProject, state) }],
    decide: shareFeatureGroup,
  }),
  defineCommand({
    ...ofGroup,
    name: 'UnshareFeatureGroup',
    summary: 'Ends that another project may read a group, its past included',
    permission: 'features.share',
    inActiveProject: false,
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:unshare' },
    input: z.object({ ...name, withProject }),
    decide: unshareFeatureGroup,
  }),
  defineCommandInto({
    ...ofGroup,
    name: 'DeleteFeatureEntity',
    summary: 'Hides all that was written of an entity so far from every read; what is written later counts again',
    permission: 'features.delete',
    inActiveProject: false,
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:deleteEntity' },
    input: z.object({ ...name, entity: z.record(z.string(), z.union([z.string(), z.number()])) }),
    decide: deleteFeatureEntity,
    into: { events: [featureEntityDeleted], stream: ({ data }) => featureRowsStream(data.project, data.group, data.partition) },
  }),
] as const;
