import type { FeatureSpec } from '../../domain/features/definition.js';
import { referenceOf, versionedGroup } from '../../domain/features/reference.js';
import { featureGroup, type FeatureGroup } from '../../domain/features/state.js';
import { featureGroupStream, transformationStream } from '../../domain/features/streams.js';
import { requireTransformation } from '../../domain/features/transformations/decisions.js';
import { compileTransformation } from '../../domain/features/transformations/program.js';
import { transformation, type Transformation } from '../../domain/features/transformations/state.js';
import { Refusal } from '../../domain/kit/index.js';
import { together, type Requirement } from '../kit/command.js';

/** The features of a group as a command would have them: the whole list, or one more. */
type Wish = { readonly project: string; readonly group: string } & ({ readonly features: readonly FeatureSpec[] } | { readonly feature: FeatureSpec });

/**
 * Every feature that is computed on write is an output of a transformation, of its type, made of features of the group
 * that stand before it: so they can be computed in their order, and no two wait for each other.
 */
export function computedFeatures(wish: Wish): Requirement[] {
  const { project, group } = wish;
  const specs = 'features' in wish ? wish.features : [wish.feature];
  return specs.flatMap((spec, at) => {
    if (spec.transformation === undefined) return [];
    const { name } = referenceOf(spec.transformation);
    const field = 'features' in wish ? `features[${at}]` : 'feature';
    const streams = [
      { decider: transformation, stream: transformationStream(project, versionedGroup(name).group) },
      { decider: featureGroup, stream: featureGroupStream(project, group) },
    ];
    return together(streams, ([made, state]: readonly [Transformation, FeatureGroup] | readonly any[]) => {
      const before = 'features' in wish ? wish.features.slice(0, at) : state.status === 'absent' ? [] : state.definition.features;
      requireComputable({ project, group, spec, field, before }, made);
    });
  });
}

function requireComputable({ project, group, spec, field, before }: { project: string; group: string; spec: FeatureSpec; field: string; before: readonly FeatureSpec[] }, state: Transformation): void {
  const { name, feature } = referenceOf(spec.transformation!);
  const { group: own, version } = versionedGroup(name);
  const { inputs, outputs } = requireTransformation({ project, transformation: own, version }, state);
  const { program } = compileTransformation(inputs, outputs);
  const output = program.outputs.find((one) => one.name === feature);
  if (output === undefined) return refuse(`${field}.transformation`, `names ${feature}, which ${name} does not give`);
  if (output.type !== spec.type) return refuse(`${field}.type`, `is ${spec.type}, but ${spec.transformation} is ${output.type}`);
  if (output.uses.some((place) => place >= inputs.length)) return refuse(`${field}.transformation`, 'is made of windows over rows, which are read or written by a pipeline, not computed from one row');
  for (const { feature: text, type } of output.uses.map((place) => inputs[place]!)) {
    const of = referenceOf(text);
    const known = before.find((one) => one.name === of.feature);
    if (versionedGroup(of.name).group !== group) return refuse(`${field}.transformation`, `is made of ${text}, which is no feature of ${group}`);
    if (known?.type !== type) return refuse(`${field}.transformation`, `is made of ${text} as ${type}, ${known ? `which is ${known.type} here` : 'which does not stand before it'}`);
  }
}

function refuse(field: string, description: string): never {
  throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
}
