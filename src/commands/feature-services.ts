import { z } from 'zod';
import { requireFeature, requireShared, requireVersion } from '../domain/features/decisions.js';
import { owner, tags } from '../domain/features/definition.js';
import { featureReference, groupNamed, referenceOf, type Reference } from '../domain/features/reference.js';
import { archiveFeatureService, changeFeatureService, createFeatureService, describeFeatureService } from '../domain/features/services/decisions.js';
import { featureService } from '../domain/features/services/state.js';
import { featureGroup, type FeatureGroup } from '../domain/features/state.js';
import { featureGroupStream, featureServiceStream, transformationStream } from '../domain/features/streams.js';
import { requireOutput, requireTransformation } from '../domain/features/transformations/decisions.js';
import { transformation, type Transformation } from '../domain/features/transformations/state.js';
import { description, Refusal, resourceName } from '../domain/kit/index.js';
import { defineCommand, oneOf, type Requirement } from './kit/command.js';

const ofService = {
  permission: 'features.define',
  decider: featureService,
  stream: (input: { project: string; service: string }) => featureServiceStream(input.project, input.service),
} as const;

const name = { project: resourceName, service: resourceName };
const labels = { owner: owner.default(''), description: description.default(''), tags: tags.default({}) };
const vector = { features: z.array(featureReference).min(1).max(1000).describe('The features in their order: group:feature, group@2:feature, or a whole group; likewise of transformations and shared groups.'), fullNames: z.boolean().default(false) };

/** Refuses columns that are seen to have the same name; those of whole groups are looked at by their definitions. */
function requireDifferentColumns({ features, fullNames }: { features: string[]; fullNames: boolean }, context: z.RefinementCtx): void {
  const taken = new Set<string>();
  features.forEach((text, index) => {
    const column = fullNames ? text : (referenceOf(text).feature ?? `${text}:`);
    if (taken.has(column)) context.addIssue({ code: 'custom', path: ['features', index], message: `is ${text}, but there is a column of that name; ${fullNames ? 'name it once' : 'take full names'}` });
    taken.add(column);
  });
}

/** Collects the columns that references stand for as their groups become known, and refuses two of one name: nobody could read the service. */
function columnsTogether({ fullNames }: { fullNames: boolean }) {
  const known = new Map<number, readonly string[]>();
  return (references: readonly Named[], given: readonly { readonly name: string }[]) => {
    for (const { index, name, feature } of references) {
      const columns = feature === undefined ? given.map((one) => one.name) : [feature];
      known.set(index, fullNames ? columns.map((column) => `${name}__${column}`) : columns);
    }
    const taken = new Set<string>();
    for (const [index, columns] of [...known].sort(([one], [other]) => one - other)) {
      const twice = columns.find((column) => taken.has(column));
      const description = `makes a second column ${twice}; ${fullNames ? 'name it once' : 'take full names'}`;
      if (twice !== undefined) throw new Refusal('INVALID_ARGUMENT', `features[${index}] ${description}`, { reason: 'INVALID_INPUT', fields: [{ field: `features[${index}]`, description }] });
      columns.forEach((column) => taken.add(column));
    }
  };
}

interface Named extends Reference {
  readonly index: number;
}

/** Every feature of the service is one that its group has now, or that a transformation gives, and no two have one name. */
function existing({ project, features, fullNames }: { project: string; features: readonly string[]; fullNames: boolean }): Requirement[] {
  const groups = Map.groupBy(features.map((text, index): Named => ({ ...referenceOf(text), index })), ({ name: group }) => group);
  const distinct = columnsTogether({ fullNames });
  return [...groups].flatMap(([named, references]) => {
    const { project: owner, group, version } = groupNamed(project, named);
    const ofGroup: Requirement<FeatureGroup> = {
      decider: featureGroup,
      stream: featureGroupStream(owner, group),
      check: (state) => {
        if (owner !== project) requireShared({ project: owner, group, withProject: project }, state);
        references.forEach(({ feature, index }) => requireFeature({ project: owner, group, version }, feature, state, `features[${index}]`));
        distinct(references, requireVersion({ project: owner, group, version }, state).features);
      },
    };
    if (owner !== project) return ofGroup;
    const given: Requirement<Transformation> = {
      decider: transformation,
      stream: transformationStream(project, group),
      check: (state) => {
        references.forEach(({ feature, index }) => requireOutput({ project, transformation: group, version }, feature, state, `features[${index}]`));
        distinct(references, requireTransformation({ project, transformation: group, version }, state).outputs);
      },
    };
    return oneOf(ofGroup, given);
  });
}

export const featureServiceCommands = [
  defineCommand({
    ...ofService,
    name: 'CreateFeatureService',
    summary: 'Creates a feature service: the features that a model needs, under one name',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-services' },
    input: z.object({ ...name, ...vector, ...labels }).superRefine(requireDifferentColumns),
    requires: existing,
    decide: createFeatureService,
    creates: true,
  }),
  defineCommand({
    ...ofService,
    name: 'ChangeFeatureService',
    summary: 'Changes which features a service gives',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-services/{service}:change' },
    input: z.object({ ...name, ...vector }).superRefine(requireDifferentColumns),
    requires: existing,
    decide: changeFeatureService,
  }),
  defineCommand({
    ...ofService,
    name: 'DescribeFeatureService',
    summary: 'Changes what a service says about itself: its owner, description and tags',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-services/{service}:describe' },
    input: z.object({ ...name, ...labels }),
    decide: describeFeatureService,
  }),
  defineCommand({
    ...ofService,
    name: 'ArchiveFeatureService',
    summary: 'Ends a service: it stays readable, nothing in it changes any more',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-services/{service}:archive' },
    input: z.object({ ...name, reason: z.string().min(1).max(1024) }),
    decide: archiveFeatureService,
  }),
] as const;
