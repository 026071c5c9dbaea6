import type { EntityKey } from '../../domain/features/definition.js';
import { groupNamed } from '../../domain/features/reference.js';
import { misused } from '../failures.js';
import type { LocalRun } from '../local-run.js';
import { readGroup } from './group.js';
import { featuresOfService, keysAsked } from './selection.js';

/** The option that names features by a service. */
export const serviceHelp = 'the features that the service names; the project alone stands in the place of the group then';

/** How a group that is read is named. */
export const readableHelp = 'or project/group@2 for a version, project/other/group for one that the project other shares';

/** Which values are asked for, and of what entities. */
export interface Target {
  readonly project: string;
  readonly entities: readonly EntityKey[];
  readonly asked: { readonly features: readonly string[] } | { readonly service: string };
}

/** Takes `flights/airports@2` apart, or `marketing/fraud/cards`: what `marketing` reads of a group that `fraud` shares with it. */
export function readableGroup(written: string): { project: string; name: string } {
  const [project, ...name] = written.split('/');
  if (!project || name.length < 1 || name.length > 2 || name.includes('')) throw misused(`"${written}" is not <project/group>.`);
  return { project, name: name.join('/') };
}

/** The features of `project/group`, or those of a service of `project`. */
export async function readTarget(connection: LocalRun, written: string, { features = [], service }: { features?: readonly string[]; service?: string }, minPosition?: string): Promise<Target> {
  if (service === undefined) {
    const { project, name } = readableGroup(written);
    const { project: owner, group } = groupNamed(project, name);
    const { entities } = await readGroup(connection, `${owner}/${group}`, minPosition);
    return { project, entities, asked: { features: features.length > 0 ? features.map((feature) => `${name}:${feature}`) : [name] } };
  }
  if (features.length > 0) throw misused('Name the features: either --features or --service.');
  if (written.includes('/')) throw misused(`With --service the project stands alone: "${written.slice(0, written.indexOf('/'))}", not "${written}".`);
  const named = await featuresOfService(connection, written, service, minPosition);
  return { project: written, entities: await keysAsked(connection, written, named, []), asked: { service } };
}
