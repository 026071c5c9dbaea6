import type { EntityKey } from '../../domain/features/definition.js';
import { misused } from '../failures.js';
import type { LocalRun } from '../local-run.js';
import { readGroup } from './group.js';
import { featuresOfService, keysAsked } from './selection.js';

/** The option that names features by a service. */
export const serviceHelp = 'the features that the service names; the project alone stands in the place of the group then';

/** Which values are asked for, and of what entities. */
export interface Target {
  readonly project: string;
  readonly entities: readonly EntityKey[];
  readonly asked: { readonly features: readonly string[] } | { readonly service: string };
}

/** The features of `project/group`, or those of a service of `project`. */
export async function readTarget(connection: LocalRun, written: string, { features = [], service }: { features?: readonly string[]; service?: string }, minPosition?: string): Promise<Target> {
  if (service === undefined) {
    const { project, group, entities } = await readGroup(connection, written, minPosition);
    return { project, entities, asked: { features: features.length > 0 ? features.map((name) => `${group}:${name}`) : [group] } };
  }
  if (features.length > 0) throw misused('Name the features: either --features or --service.');
  if (written.includes('/')) throw misused(`With --service the project stands alone: "${written.slice(0, written.indexOf('/'))}", not "${written}".`);
  const named = await featuresOfService(connection, written, service, minPosition);
  return { project: written, entities: await keysAsked(connection, written, named, []), asked: { service } };
}
