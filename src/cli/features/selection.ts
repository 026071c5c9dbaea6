import type { EntityKey } from '../../domain/features/definition.js';
import { groupNamed, referenceOf } from '../../domain/features/reference.js';
import { InvalidArgumentError } from 'commander';
import type { LocalRun } from '../local-run.js';
import { featureServiceQueries } from '../../projections/features/services/queries.js';
import { callRest } from '../rest.js';
import { readGroup } from './group.js';
import type { HistoricalQuestion } from './historical-call.js';

type Alias = NonNullable<HistoricalQuestion['aliases']>[number];

/** Reads one more `--alias destination=airports:origin=destination`: a second name for a group, and the columns of its keys. */
export function readAlias(written: string, before: readonly Alias[] = []): readonly Alias[] {
  const [, alias, group, columns = ''] = /^(\w+)=((?:\w+\/)?\w+(?:@\d+)?)(?::(.+))?$/.exec(written) ?? [];
  const pairs = columns === '' ? [] : columns.split(',').map((pair) => pair.split('='));
  if (alias === undefined || group === undefined || pairs.some((pair) => pair.length !== 2)) throw new InvalidArgumentError('It is not <alias>=<group>:<key>=<column>,…');
  return [...before, { alias, group, keyColumns: Object.fromEntries(pairs) }];
}

const { http } = featureServiceQueries.find(({ name }) => name === 'GetFeatureService')!;

/** The features that a service names. */
export const featuresOfService = async (connection: LocalRun, project: string, service: string): Promise<readonly string[]> =>
  ((await callRest(connection, http, { project, service })) as unknown as { features: readonly string[] }).features;

/** The columns of a file that hold keys of the groups asked for, with the keys' types. */
export async function keysAsked(connection: LocalRun, project: string, features: readonly string[], aliases: readonly Alias[]): Promise<EntityKey[]> {
  const names = [...new Set(features.map((feature) => referenceOf(feature).name))];
  const keys = await Promise.all(
    names.map(async (name) => {
      const alias = aliases.find((one) => one.alias === name);
      const { entities } = await readGroup(connection, Object.values(groupNamed(project, alias?.group ?? name)).slice(0, 2).join('/'));
      return entities.map((key) => ({ name: alias?.keyColumns[key.name] ?? key.name, type: key.type }));
    }),
  );
  return [...new Map(keys.flat().map((key) => [key.name, key])).values()];
}
