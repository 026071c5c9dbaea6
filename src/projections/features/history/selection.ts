import type { EntityKey, FeatureSpec } from '../../../domain/features/definition.js';
import { referenceOf } from '../../../domain/features/reference.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import type { FeatureServiceDefinition } from '../../../domain/features/services/state.js';
import type { FeatureType } from '../../../domain/features/values.js';
import { Refusal, type FieldViolation } from '../../../domain/kit/index.js';
import type { ComputedColumn, Derived, PlannedRun, PlannedWindow } from '../transformations/plan.js';
import type { ReadableTransformation } from '../../../domain/features/transformations/readable.js';

/** How a question names its features: one by one, or by the service that names them. */
export interface Asked {
  readonly features: readonly string[];
  readonly service?: string;
  readonly fullNames: boolean;
}

/** Refuses a question that names no features, or names them twice. */
export function requireAsked({ features, service }: Asked): void {
  if (features.length === 0 && !service) refuse([{ field: 'features', description: 'names at least one feature, unless a service is named' }]);
  if (features.length > 0 && service) refuse([{ field: 'features', description: 'are given beside a service; one of the two is enough' }]);
}

/** The question with the features of the service. */
export const askedOf = <Question extends Asked>(question: Question, { features, fullNames }: FeatureServiceDefinition): Question => ({
  ...question,
  features,
  fullNames: question.fullNames || fullNames,
});

/** What a caller wants to know, before anything is known of the groups. */
export interface Selection {
  /** `group:feature`, or `group` for all its features; `group@2` or an alias stands where a group does. */
  readonly features: readonly string[];
  readonly aliases: readonly Alias[];
  /** Names the columns `group__feature` instead of `feature`. */
  readonly fullNames: boolean;
}

/** Another name for a group, so that it can be joined twice (origin, destination), or by columns that are not called like its keys. */
export interface Alias {
  readonly alias: string;
  readonly group: string;
  /** Which column of the request holds a key of the group; left out where the two have the same name. */
  readonly keyColumns: Readonly<Record<string, string>>;
}

/** One group joined to the request. */
export interface PlannedJoin {
  /** The alias, or the group's own name. */
  readonly name: string;
  readonly definition: FeatureGroupDefinition;
  readonly features: readonly string[];
  /** The request's column for each of the group's keys, in the group's order. */
  readonly keys: readonly (EntityKey & { readonly column: string })[];
}

/** One column of the answer: a feature of a join. */
export interface PlannedColumn {
  readonly name: string;
  readonly type: FeatureType;
  readonly dimensions?: number;
  readonly join: number;
  readonly feature: number;
}

export interface Plan {
  readonly joins: readonly PlannedJoin[];
  /** The columns of the answer; where some are computed, also the inputs of those. */
  readonly columns: readonly PlannedColumn[];
  /** There where columns are computed by transformations. */
  readonly derived?: Derived;
}

/** The groups that a selection needs, each once. Refuses aliases that are not unique. */
export function groupsOf({ features, aliases }: Selection): string[] {
  aliases.forEach(({ alias }, at) => {
    if (aliases.findIndex((other) => other.alias === alias) < at) refuse([{ field: `aliases[${at}].alias`, description: `is ${alias} like another` }]);
  });
  return [...new Set(features.map((text) => groupOf(referenceOf(text).name, aliases)))];
}

/**
 * What to join and how the answer's columns are called: `feature`, or `group__feature` with full names, where the
 * alias stands for the group. Refuses what a group does not have, and names that are not unique.
 */
export function planOf(
  { features, aliases, fullNames }: Selection,
  definitions: ReadonlyMap<string, FeatureGroupDefinition>,
  requestColumns: Iterable<string>,
  transformations: ReadonlyMap<string, ReadableTransformation> = noTransformations,
): Plan {
  const faults: FieldViolation[] = [];
  const joins = new Map<string, PlannedJoin & { features: string[] }>();
  const columns: PlannedColumn[] = [];
  const runs = new Map<string, PlannedRun>();
  const shown: (number | ComputedColumn)[] = [];
  const taken = new Set(requestColumns);
  const take = (name: string, feature: string, at: number): string => {
    const column = fullNames ? `${name}__${feature}` : feature;
    if (taken.has(column)) faults.push({ field: `features[${at}]`, description: `makes a second column ${column}; ${fullNames ? 'rename the other one' : 'ask for full names'}` });
    taken.add(column);
    return column;
  };
  const joined = (name: string, definition: FeatureGroupDefinition, keysNamed = name) => {
    const join = joins.get(name) ?? { name, definition, features: [], keys: keysOf(keysNamed, definition, aliases) };
    joins.set(name, join);
    return join;
  };
  const add = (join: PlannedJoin & { features: string[] }, column: string, { name, type, constraints }: { name: string; type: FeatureType; constraints?: FeatureSpec['constraints'] }) =>
    columns.push({ name: column, type, dimensions: constraints?.dimensions, join: [...joins.keys()].indexOf(join.name), feature: join.features.push(name) - 1 }) - 1;
  const runOf = (name: string, at: number, transformation: ReadableTransformation): PlannedRun => {
    // An alias of a transformation says where the keys of its inputs are, so those are joined apart.
    const aliased = aliases.some(({ alias }) => alias === name);
    const inputs = transformation.program.inputs.map((input) => {
      const { name: group, feature } = referenceOf(input.feature);
      const definition = definitions.get(group)!;
      const spec = definition.features.find((one) => one.name === feature);
      if (spec?.type !== input.type) faults.push({ field: `features[${at}]`, description: `names ${transformation.name}, which takes ${input.feature} as ${input.type}; it is ${spec ? `${spec.type} now` : 'not there any more'}` });
      return add(joined(aliased ? `${name}>${group}` : group, definition, aliased ? name : group), '', { name: feature!, type: input.type });
    });
    return { name, transformation: transformation.name, program: transformation.program, inputs };
  };
  features.forEach((text, at) => {
    const { name, feature } = referenceOf(text);
    const transformation = transformations.get(groupOf(name, aliases));
    if (transformation) {
      const { outputs } = transformation.program;
      const chosen = outputs.map((output, place) => ({ ...output, place })).filter((output) => feature === undefined || output.name === feature);
      if (chosen.length === 0) faults.push({ field: `features[${at}]`, description: `names ${feature}, which ${transformation.name} does not give` });
      if (!runs.has(name)) runs.set(name, runOf(name, at, transformation));
      const run = [...runs.keys()].indexOf(name);
      for (const output of chosen) shown.push({ name: take(name, output.name, at), type: output.type, run, output: output.place });
      return;
    }
    const definition = definitions.get(groupOf(name, aliases))!;
    const join = joined(name, definition);
    const known = definition.features.filter((spec) => feature === undefined || spec.name === feature);
    if (known.length === 0 && feature !== undefined) faults.push({ field: `features[${at}]`, description: `names ${feature}, which ${definition.group} does not have` });
    for (const spec of known) shown.push(add(join, take(name, spec.name, at), spec));
  });
  faults.push(...unknownKeys(aliases, definitions));
  if (faults.length > 0) refuse(faults);
  return { joins: [...joins.values()], columns, ...(runs.size > 0 && { derived: { runs: [...runs.values()], windows: windowsOf([...runs.values()], columns, [...joins.values()]), shown } }) };
}

/** The outputs that are windows, with the feature that each looks at; one that counts rows is of the group of the first input. */
const windowsOf = (runs: readonly PlannedRun[], columns: readonly PlannedColumn[], joins: readonly PlannedJoin[]): PlannedWindow[] =>
  runs.flatMap(({ program, inputs }, run) =>
    program.outputs.flatMap(({ way }, output) => {
      if (!('window' in way)) return [];
      const { join, feature } = columns[inputs[way.window.input ?? 0]!]!;
      return [{ run, output, join, spec: way.window, ...(way.window.input !== undefined && { feature: joins[join]!.features[feature]! }) }];
    }),
  );

const noTransformations: ReadonlyMap<string, ReadableTransformation> = new Map();

const groupOf = (name: string, aliases: readonly Alias[]): string => aliases.find(({ alias }) => alias === name)?.group ?? name;

function keysOf(name: string, { entities }: FeatureGroupDefinition, aliases: readonly Alias[]): PlannedJoin['keys'] {
  const columns = new Map(Object.entries(aliases.find(({ alias }) => alias === name)?.keyColumns ?? {}));
  return entities.map((key) => ({ ...key, column: columns.get(key.name) ?? key.name }));
}

function unknownKeys(aliases: readonly Alias[], definitions: ReadonlyMap<string, FeatureGroupDefinition>): FieldViolation[] {
  return aliases.flatMap(({ group, keyColumns }, at) =>
    Object.keys(keyColumns)
      .filter((key) => definitions.has(group) && !definitions.get(group)!.entities.some(({ name }) => name === key))
      .map((key) => ({ field: `aliases[${at}].keyColumns.${key}`, description: `is no key of ${group}` })),
  );
}

function refuse(faults: readonly FieldViolation[]): never {
  throw new Refusal('INVALID_ARGUMENT', faults.map(({ field, description }) => `${field} ${description}`).join('; '), { reason: 'INVALID_INPUT', fields: faults });
}
