import type { EntityKey, FeatureSpec } from '../../domain/features/definition.js';
import { featureGroupQueries } from '../../projections/features/groups-queries.js';
import { readResource } from '../derived/arguments.js';
import type { LocalRun } from '../local-run.js';
import { callRest } from '../rest.js';

/** A group as its rows must fit it. */
export interface Group {
  readonly project: string;
  readonly group: string;
  readonly entities: readonly EntityKey[];
  readonly features: readonly FeatureSpec[];
}

const { http } = featureGroupQueries.find(({ name }) => name === 'GetFeatureGroup')!;

/** Asks for the definition of `project/group`, as it is at the position at least. */
export const readGroup = async (connection: LocalRun, written: string, minPosition?: string): Promise<Group> =>
  (await callRest(connection, http, readResource(['project', 'group'], written), asNewAs(minPosition))) as unknown as Group;

/** The header of an answer that is no older than a position. */
export const asNewAs = (minPosition: string | undefined): Record<string, string> => (minPosition === undefined ? {} : { 'tarl-min-position': minPosition });
