import type { EntityKey } from '../../domain/features/definition.js';
import { groupNamed, referenceOf } from '../../domain/features/reference.js';
import { InvalidArgumentError } from 'commander';
import type { LocalRun } from '../local-run.js';
import { featureServiceQueries } from '../../projections/features/services/queries.js';
import { transformationQueries } from '../../projections/features/transformations/queries.js';
import { PlatformRefusal } from '../failures.js';
import { callRest } from '../rest.js';
import { asNewAs, readGroup } from './group.js';
import type { HistoricalQuestion } from './historical-call.js';

type Alias = NonNullable<HistoricalQuestion['aliases']>[number];

/** Reads one more `--alias destination=airports:origin=destination`: a second name for a group, and the columns of its keys. */
export function readAlias(written: string, before: readonly Alias[] = []): readonly Alias[] {
  const [, alias, group, columns = ''] = /^(\w+)=((?:\w+\/)?\w+(?:@\d+)?)(?::(.+))?$/.exec(written) ?? [];
  const pairs = columns === '' ? [] : columns.split(',').map((pair) => pair.split('='));
  if (alias === undefined || group === undefined || pairs.some((pair) => pair.length !== 2)) throw new InvalidArgumentError('It is not <alias>=<group>:<key>=<column>,…');
  return [...before, { alias, group, keyColumns: Object.fromEntries(pairs) }];
}

const { http: serviceRoute } = featureServiceQueries.find(({ name }) => name === 'GetFeatureService')!;
const { http: transformationRoute } = transformationQueries.find(({ name }) => name === 'GetTransformation')!;

/** The features that a service names. */
export const featuresOfService = async (connection: LocalRun, project: string, service: string, minPosition?: string): Promise<readonly string[]> =>
  ((await callRest(connection, serviceRoute, { project, service }, asNewAs(minPosition))) as unknown as { features: readonly string[] }).features;

/** The columns of a file that hold keys of the groups asked for, with the keys' types; transformations have those of the groups that they take features from. */
export async function keysAsked(connection: LocalRun, project: string, features: readonly string[], aliases: readonly Alias[]): Promise<EntityKey[]> {
  const names = [...new Set(features.map((feature) => referenceOf(feature).name))];
  const keys = await Promise.all(
    names.map(async (name) => {
      const alias = aliases.find((one) => one.alias === name);
      const entities = await keysNamed(connection, project, alias?.group ?? name);
      return entities.map((key) => ({ name: alias?.keyColumns[key.name] ?? key.name, type: key.type }));
    }),
  );
  return [...new Map(keys.flat().map((key) => [key.name, key])).values()];
}

async function keysNamed(connection: LocalRun, project: string, name: string): Promise<readonly EntityKey[]> {
  const { project: owner, group } = groupNamed(project, name);
  try {
    return (await readGroup(connection, `${owner}/${group}`)).entities;
  } catch (error) {
    const inputs = owner === project && isNotFound(error) ? await inputsOf(connection, project, group) : undefined;
    if (!inputs) throw error;
    return keysAsked(connection, project, inputs, []);
  }
}

/** The features that a transformation computes from; undefined where there is none of the name. */
async function inputsOf(connection: LocalRun, project: string, transformation: string): Promise<readonly string[] | undefined> {
  try {
    const { inputs } = (await callRest(connection, transformationRoute, { project, transformation })) as unknown as { inputs: readonly { feature: string }[] };
    return inputs.map(({ feature }) => feature);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const isNotFound = (error: unknown): boolean => error instanceof PlatformRefusal && error.said.code === 'NOT_FOUND';
