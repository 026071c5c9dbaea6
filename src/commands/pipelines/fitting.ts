import { requireVersion } from '../../domain/features/decisions.js';
import type { PipelineStep } from '../../domain/features/pipelines/definition.js';
import { referenceOf, versionedGroup } from '../../domain/features/reference.js';
import { featureGroup, type FeatureGroup, type FeatureGroupDefinition } from '../../domain/features/state.js';
import { featureGroupStream, transformationStream } from '../../domain/features/streams.js';
import { requireTransformation } from '../../domain/features/transformations/decisions.js';
import { transformation, type Transformation } from '../../domain/features/transformations/state.js';
import type { FeatureType } from '../../domain/features/values.js';
import { Refusal, same } from '../../domain/kit/index.js';
import { together, type Requirement } from '../kit/command.js';

/** The rows of the target are those of the source's entities, so both have the same keys. */
export function requireSameEntities(source: FeatureGroupDefinition, target: FeatureGroupDefinition): void {
  if (!same(source.entities, target.entities)) refuse('target', `has other keys than ${source.group}`);
}

/** A feature that every row must have is filled by a step; one that is computed on write is not. */
export function requireFilled(steps: readonly PipelineStep[], { group, features }: FeatureGroupDefinition): void {
  const missing = features.find(({ name, constraints, transformation: computed }) => constraints.required && computed === undefined && !steps.some(({ feature }) => feature === name));
  if (missing) refuse('steps', `leave out ${missing.name}, which ${group} requires`);
  steps.forEach(({ feature }, at) => {
    const spec = features.find(({ name }) => name === feature);
    if (spec === undefined) refuse(`steps[${at}].feature`, `names ${feature}, which ${group} does not have`);
    if (spec.transformation !== undefined) refuse(`steps[${at}].feature`, `names ${feature}, which ${group} computes by ${spec.transformation}`);
  });
}

/** What a step is filled from is there, and has the type that the target has. */
export function stepRequirements(project: string, { feature, from }: PipelineStep, at: number, { target, targetStream }: { target: { group: string; version?: number }; targetStream: string }): Requirement[] {
  const { name, feature: part } = referenceOf(from);
  const { group: own, version } = versionedGroup(name);
  const streams = [
    { decider: featureGroup, stream: featureGroupStream(project, own) },
    { decider: transformation, stream: transformationStream(project, own) },
    { decider: featureGroup, stream: targetStream },
  ];
  return together(streams, ([group, made, filled]: readonly any[]) => {
    const type = (group as FeatureGroup).status === 'absent' ? typeOfOutput(made as Transformation) : requireVersion({ project, group: own, version }, group).features.find((spec) => spec.name === part)?.type;
    const wanted = requireVersion({ project, ...target }, filled).features.find((spec) => spec.name === feature)?.type;
    if (type === undefined) refuse(`steps[${at}].from`, `names ${part}, which ${name} does not give`);
    // That the target lacks the feature is said once, elsewhere.
    if (wanted !== undefined && type !== wanted) refuse(`steps[${at}].from`, `is ${type}, but ${feature} is ${wanted}`);
  });

  function typeOfOutput(state: Transformation): FeatureType | undefined {
    if (state.status === 'absent') refuse(`steps[${at}].from`, `names ${name}, which is neither a group nor a transformation`);
    return requireTransformation({ project, transformation: own, version }, state).outputs.find((output) => output.name === part)?.type;
  }
}

function refuse(field: string, description: string): never {
  throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
}
