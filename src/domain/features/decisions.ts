import { Refusal, same, type Decide } from '../kit/index.js';
import { mostFeatures, type FeatureSource, type FeatureSpec } from './definition.js';
import { keyOfExactEntity, type FeatureEntityDeleted, type GivenEntity } from './deletion.js';
import type { FeatureGroupEvent } from './events.js';
import { partitionOf } from './keys.js';
import type { FeatureGroup, FeatureGroupDefinition } from './state.js';

type OfGroup = { project: string; group: string };
type GroupDecision<Input> = Decide<OfGroup & Input, FeatureGroup, FeatureGroupEvent>;

/** Creating again as the group now stands is the same wish; anything else is a clash of names. */
export const createFeatureGroup: GroupDecision<Omit<FeatureGroupDefinition, 'version'>> = (input, state) => {
  switch (state.status) {
    case 'absent':
      return [{ type: 'FeatureGroupCreated', data: { ...input, version: 1 } as never }];
    case 'active':
      if (same({ ...input, version: state.definition.version }, state.definition)) return [];
      throw new Refusal('ALREADY_EXISTS', `Feature group ${input.group} exists with another definition`, { reason: 'FEATURE_GROUP_EXISTS' });
    case 'archived':
      throw new Refusal('ALREADY_EXISTS', `Feature group ${input.group} is archived; its name is not given again`, { reason: 'FEATURE_GROUP_ARCHIVED' });
  }
};

/** A group with other features or another source, beside the promoted one until it is promoted itself; as the newest version is, nothing changes. A source that is not named stays that of the newest version. */
export const stageFeatureGroupVersion: GroupDecision<{ features: FeatureSpec[]; source?: FeatureSource }> = ({ project, group, features, source: named }, state) => {
  const { entities } = requireActiveGroup({ project, group }, state);
  const key = features.findIndex(({ name }) => entities.some((entity) => entity.name === name));
  if (key >= 0) throw new Refusal('INVALID_ARGUMENT', `${features[key]!.name} is already the name of a key of ${group}`, { fields: [{ field: `features[${key}].name`, description: 'is the name of a key' }] });
  const newest = requireVersion({ project, group, version: latestVersion(state) }, state);
  const source = named ?? newest.source;
  if (same({ features, source }, { features: newest.features, source: newest.source })) return [];
  return [{ type: 'FeatureGroupVersionStaged', data: { project, group, version: newest.version + 1, features, ...(source && { source }) } }];
};

/** From now on the bare name means this version. */
export const promoteFeatureGroupVersion: GroupDecision<{ version: number }> = ({ project, group, version }, state) => {
  const promoted = requireActiveGroup({ project, group }, state);
  requireVersion({ project, group, version }, state);
  return promoted.version === version ? [] : [{ type: 'FeatureGroupVersionPromoted', data: { project, group, version } }];
};

/** The bare name means again what it meant before the last promotion. Repeated, it goes back further. */
export const rollBackFeatureGroup: GroupDecision<{}> = ({ project, group }, state) => {
  requireActiveGroup({ project, group }, state);
  const version = state.status === 'absent' ? undefined : state.promoted.at(-2);
  if (version !== undefined) return [{ type: 'FeatureGroupRolledBack', data: { project, group, version } }];
  throw new Refusal('FAILED_PRECONDITION', `Feature group ${group} has no version that was promoted before`, { reason: 'NOTHING_TO_ROLL_BACK' });
};

/** Adds a feature to the promoted version of the group; rows written before are null in it. */
export const registerFeature: GroupDecision<{ feature: FeatureSpec }> = ({ project, group, feature }, state) => {
  const { entities, features } = requireActiveGroup({ project, group }, state);
  const existing = features.find(({ name }) => name === feature.name);
  if (existing && same(existing, feature)) return [];
  if (existing) throw new Refusal('ALREADY_EXISTS', `Feature ${group}:${feature.name} exists with another definition`, { reason: 'FEATURE_EXISTS' });
  if (entities.some(({ name }) => name === feature.name)) {
    throw new Refusal('INVALID_ARGUMENT', `${feature.name} is already the name of a key of ${group}`, { reason: 'INVALID_INPUT', fields: [{ field: 'feature.name', description: 'is the name of a key' }] });
  }
  if (features.length >= mostFeatures) throw new Refusal('RESOURCE_EXHAUSTED', `Feature group ${group} has ${mostFeatures} features, the most there may be`, { reason: 'TOO_MANY_FEATURES' });
  return [{ type: 'FeatureRegistered', data: { project, group, feature } }];
};

export const describeFeatureGroup: GroupDecision<{ owner: string; description: string; tags: Record<string, string> }> = (input, state) => {
  const { owner, description, tags } = requireActiveGroup(input, state);
  const asItIs = same({ owner, description, tags }, { owner: input.owner, description: input.description, tags: input.tags });
  return asItIs ? [] : [{ type: 'FeatureGroupDescribed', data: input }];
};

/** Applies to every read from now on: what is stored knows nothing of the TTL. */
export const changeFeatureGroupTtl: GroupDecision<{ ttlSeconds: number }> = (input, state) =>
  requireActiveGroup(input, state).ttlSeconds === input.ttlSeconds ? [] : [{ type: 'FeatureGroupTtlChanged', data: input }];

/** Lets another project read the group, from now on and all of its past; it never writes it. */
export const shareFeatureGroup: GroupDecision<{ withProject: string }> = ({ project, group, withProject }, state) => {
  requireActiveGroup({ project, group }, state);
  if (withProject === project) throw new Refusal('INVALID_ARGUMENT', `Feature group ${group} is of project ${project} itself`, { reason: 'INVALID_INPUT', fields: [{ field: 'withProject', description: 'is the project of the group' }] });
  return isShared(withProject, state) ? [] : [{ type: 'FeatureGroupShared', data: { project, group, withProject } }];
};

/** Ends that, for the past as well: who may read is a matter of now. */
export const unshareFeatureGroup: GroupDecision<{ withProject: string }> = ({ project, group, withProject }, state) => {
  requireGroup({ project, group }, state);
  return isShared(withProject, state) ? [{ type: 'FeatureGroupUnshared', data: { project, group, withProject } }] : [];
};

const isShared = (project: string, state: FeatureGroup): boolean => state.status !== 'absent' && state.sharedWith.includes(project);

/** Refuses unless the group is shared with a project now. One that is not shared answers like one that is not there, so that no names leak. */
export function requireShared({ project, group, withProject }: OfGroup & { withProject: string }, state: FeatureGroup): void {
  if (isShared(withProject, state)) return;
  throw new Refusal('NOT_FOUND', `Feature group ${project}/${group} does not exist, or is not shared with project ${withProject}`, { reason: 'FEATURE_GROUP_NOT_FOUND', metadata: { group: `${project}/${group}` } });
}

export const archiveFeatureGroup: GroupDecision<{ reason: string }> = (input, state) => {
  switch (state.status) {
    case 'absent':
      throw groupAbsent(input);
    case 'archived':
      return [];
    case 'active':
      return [{ type: 'FeatureGroupArchived', data: input }];
  }
};

/** Also of an archived group, whose values stay readable: what is readable can be hidden. Repeated, it hides what was written since. */
export const deleteFeatureEntity: Decide<OfGroup & { entity: GivenEntity }, FeatureGroup, FeatureEntityDeleted> = ({ project, group, entity }, state) => {
  const { entities, partitions } = requireGroup({ project, group }, state);
  const version = latestVersion(state);
  const key = keyOfExactEntity(entities, entity, 'entity');
  return [{ type: 'FeatureEntityDeleted', data: { project, group, version, partition: partitionOf(key, partitions), key } }];
};

/** The definition of a group that may still change and be written; refuses for any other. */
export function requireActiveGroup(name: OfGroup, state: FeatureGroup): FeatureGroupDefinition {
  const definition = requireGroup(name, state);
  if (state.status === 'active') return definition;
  throw new Refusal('FAILED_PRECONDITION', `Feature group ${name.group} is archived`, { reason: 'FEATURE_GROUP_ARCHIVED' });
}

/** One version of a group that may be read, archived or not; the promoted one where none is named. */
export function requireVersion({ project, group, version }: OfGroup & { version?: number }, state: FeatureGroup): FeatureGroupDefinition {
  const promoted = requireGroup({ project, group }, state);
  const definition = version === undefined || state.status === 'absent' ? promoted : state.versions[version - 1];
  if (definition) return definition;
  throw new Refusal('NOT_FOUND', `Feature group ${group} has no version ${version}`, { reason: 'FEATURE_GROUP_VERSION_NOT_FOUND', metadata: { group, version: String(version) } });
}

const latestVersion = (state: FeatureGroup): number => (state.status === 'absent' ? 0 : state.versions.length);

/** Refuses unless the group is there and has the feature, where one is named; `field` is where the request names it. */
export function requireFeature(name: OfGroup & { version?: number }, feature: string | undefined, state: FeatureGroup, field: string): void {
  const { features } = requireVersion(name, state);
  if (feature === undefined || features.some((spec) => spec.name === feature)) return;
  const description = `names ${feature}, which ${name.group} does not have`;
  throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
}

/** The definition of a group that may be read, archived or not. */
export function requireGroup(name: OfGroup, state: FeatureGroup): FeatureGroupDefinition {
  if (state.status === 'absent') throw groupAbsent(name);
  return state.definition;
}

const groupAbsent = ({ project, group }: OfGroup) =>
  new Refusal('NOT_FOUND', `Feature group ${group} does not exist in project ${project}`, { reason: 'FEATURE_GROUP_NOT_FOUND', metadata: { group } });
