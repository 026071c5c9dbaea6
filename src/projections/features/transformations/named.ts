import { referenceOf } from '../../../domain/features/reference.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import { Refusal } from '../../../domain/kit/index.js';
import { readable, type ReadableTransformation } from '../../../domain/features/transformations/readable.js';

/** What the names of a question stand for, by name: groups, also those that the transformations take their inputs from, and transformations. */
export interface Named {
  readonly definitions: ReadonlyMap<string, FeatureGroupDefinition>;
  readonly transformations: ReadonlyMap<string, ReadableTransformation>;
}

/** Where names are looked up; both refuse what is absent. */
export interface Lookup {
  group(name: string): Promise<FeatureGroupDefinition>;
  transformation(name: string): Promise<ReadableTransformation>;
  /** The transformation, where it is known at once that the name is one. */
  knownTransformation?(name: string): ReadableTransformation | undefined;
}

/** The transformations of a platform: looking one up that is known costs no query. */
export interface TransformationSource {
  known(project: string, name: string): ReadableTransformation | undefined;
  /** Refuses one that is absent. */
  toRead(project: string, name: string): Promise<ReadableTransformation>;
}

export const noTransformations: TransformationSource = { known: () => undefined, toRead: async (project, name) => readable(project, name, { status: 'absent' }) };

/** Looks up every name, first as a group; a name is never both. */
export async function resolve(names: readonly string[], lookup: Lookup): Promise<Named> {
  const found = await Promise.all(names.map((name) => lookup.knownTransformation?.(name) ?? groupOrTransformation(name, lookup)));
  const definitions = new Map<string, FeatureGroupDefinition>();
  const transformations = new Map<string, ReadableTransformation>();
  found.forEach((one, at) => ('program' in one ? transformations.set(names[at]!, one) : definitions.set(names[at]!, one)));
  if (transformations.size > 0) await addInputs(definitions, transformations, lookup);
  return { definitions, transformations };
}

async function groupOrTransformation(name: string, lookup: Lookup): Promise<FeatureGroupDefinition | ReadableTransformation> {
  try {
    return await lookup.group(name);
  } catch (error) {
    if (!isAbsent(error, 'FEATURE_GROUP_NOT_FOUND')) throw error;
    return lookup.transformation(name).catch((other: unknown) => {
      throw isAbsent(other, 'TRANSFORMATION_NOT_FOUND') ? error : other;
    });
  }
}

async function addInputs(definitions: Map<string, FeatureGroupDefinition>, transformations: Named['transformations'], lookup: Lookup): Promise<void> {
  const groups = new Set([...transformations.values()].flatMap(({ program }) => program.inputs.map(({ feature }) => referenceOf(feature).name)));
  await Promise.all([...groups].filter((name) => !definitions.has(name)).map(async (name) => definitions.set(name, await lookup.group(name))));
}

const isAbsent = (error: unknown, reason: string): boolean => error instanceof Refusal && error.details.reason === reason;
