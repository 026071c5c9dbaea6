import { Refusal, same, type Decide } from '../../kit/index.js';
import type { TransformationInput, TransformationOutput } from './definition.js';
import type { TransformationEvent } from './events.js';
import { compileTransformation } from './program.js';
import type { ExistingTransformation, Transformation, TransformationVersion } from './state.js';

type OfTransformation = { project: string; transformation: string };
type TransformationDecision<Input> = Decide<OfTransformation & Input, Transformation, TransformationEvent>;
type Labels = { owner: string; description: string; tags: Record<string, string> };

/** Other inputs or outputs make a new version, labels do not; as it stands already, nothing changes. */
export const registerTransformation: TransformationDecision<{ inputs: TransformationInput[]; outputs: TransformationOutput[] } & Labels> = (input, state) => {
  const { project, transformation, inputs, owner, description, tags } = input;
  const outputs = typed(inputs, input.outputs);
  switch (state.status) {
    case 'absent':
      return [{ type: 'TransformationRegistered', data: { project, transformation, version: 1, inputs, outputs, owner, description, tags } }];
    case 'archived':
      throw new Refusal('ALREADY_EXISTS', `Transformation ${transformation} is archived; its name is not given again`, { reason: 'TRANSFORMATION_ARCHIVED' });
    case 'active': {
      const newest = state.versions.at(-1)!;
      const version = { version: newest.version + 1, inputs, outputs };
      const changed: TransformationEvent[] = same({ inputs, outputs }, { inputs: newest.inputs, outputs: newest.outputs }) ? [] : [{ type: 'TransformationVersionRegistered', data: { project, transformation, ...version } }];
      return [...changed, ...described({ project, transformation, owner, description, tags }, state)];
    }
  }
};

export const describeTransformation: TransformationDecision<Labels> = (input, state) => described(input, requireActive(input, state));

/** What uses it goes on working; nobody can register a new version. */
export const archiveTransformation: TransformationDecision<{ reason: string }> = (input, state) => {
  switch (state.status) {
    case 'absent':
      throw transformationAbsent(input);
    case 'archived':
      return [];
    case 'active':
      return [{ type: 'TransformationArchived', data: input }];
  }
};

/** One version of a transformation, archived or not; the newest where none is named. */
export function requireTransformation({ project, transformation, version }: OfTransformation & { version?: number }, state: Transformation): TransformationVersion {
  if (state.status === 'absent') throw transformationAbsent({ project, transformation });
  const found = state.versions.at(version === undefined ? -1 : version - 1);
  if (found) return found;
  throw new Refusal('NOT_FOUND', `Transformation ${transformation} has no version ${version}`, { reason: 'TRANSFORMATION_VERSION_NOT_FOUND', metadata: { transformation, version: String(version) } });
}

/** Refuses unless the transformation is there and gives the feature, where one is named; `field` is where the request names it. */
export function requireOutput(name: OfTransformation & { version?: number }, output: string | undefined, state: Transformation, field: string): void {
  const { outputs } = requireTransformation(name, state);
  if (output === undefined || outputs.some((one) => one.name === output)) return;
  const fault = `names ${output}, which ${name.transformation} does not give`;
  throw new Refusal('INVALID_ARGUMENT', `${field} ${fault}`, { reason: 'INVALID_INPUT', fields: [{ field, description: fault }] });
}

/** The outputs with the types that come out of them; what is wrong has been refused with its field before. */
function typed(inputs: readonly TransformationInput[], outputs: readonly TransformationOutput[]) {
  const { program } = compileTransformation(inputs, outputs);
  return outputs.map((output, at) => ({ ...output, type: program.outputs[at]!.type }));
}

function described({ project, transformation, owner, description, tags }: OfTransformation & Labels, state: ExistingTransformation): TransformationEvent[] {
  const asItIs = same({ owner, description, tags }, { owner: state.owner, description: state.description, tags: state.tags });
  return asItIs ? [] : [{ type: 'TransformationDescribed', data: { project, transformation, owner, description, tags } }];
}

function requireActive(name: OfTransformation, state: Transformation): ExistingTransformation {
  if (state.status === 'absent') throw transformationAbsent(name);
  if (state.status === 'active') return state;
  throw new Refusal('FAILED_PRECONDITION', `Transformation ${name.transformation} is archived`, { reason: 'TRANSFORMATION_ARCHIVED' });
}

const transformationAbsent = ({ project, transformation }: OfTransformation) =>
  new Refusal('NOT_FOUND', `Transformation ${transformation} does not exist in project ${project}`, { reason: 'TRANSFORMATION_NOT_FOUND', metadata: { transformation } });
