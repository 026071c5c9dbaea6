import type { Pool } from 'pg';
import { groupNamed, referenceOf } from '../../../domain/features/reference.js';
import { rowsAt } from '../../kit/as-of.js';

/** What a service says of the features that it gives. */
export interface NamedFeatures {
  readonly project: string;
  readonly features: readonly string[];
  readonly fullNames: boolean;
}

/** A column that more than one of the features of a service would make. */
export interface CollidingColumn {
  readonly column: string;
  /** Those features, as the service names them. */
  readonly of: string[];
}

/** A group, or a transformation, with the columns of each of its versions. */
interface Giver {
  readonly project: string;
  readonly name: string;
  readonly version: number;
  readonly versions: readonly { readonly version: number; readonly columns: readonly string[] }[];
}

const named = `unnest($1::text[], $2::text[], $3::text[]) as named(reader, project, name)`;
const columnsIn = (part: string) => `jsonb_path_query_array(${part}, '$[*].name')`;
const versionsOf = (part: string) => `(select jsonb_agg(jsonb_build_object('version', one -> 'version', 'columns', ${columnsIn(`one -> '${part}'`)})) from jsonb_array_elements(versions) as one) as versions`;

/** Groups of other projects count while they are shared: nobody is told what is in others. */
const givers = (asOf: string | undefined) => `
  select distinct named.project, named.name, version::float8, ${versionsOf('features')}
  from ${named} join ${rowsAt('feature_groups', asOf)} on feature_groups.project = named.project and "group" = named.name
  where reader = named.project or exists (select 1 from feature_group_shares as share where share.project = reader and share.owner = named.project and share."group" = named.name)
  union all
  select distinct named.project, named.name, version::float8, ${versionsOf('outputs')}
  from ${named} join ${rowsAt('transformations', asOf)} on transformations.project = named.project and transformation = named.name
  where reader = named.project`;

/** For each service, of which full names never meet, the columns that have come to share a name, by the definitions of now or of a position: nobody can read it so. */
export async function collidingColumns(pool: Pool, services: readonly NamedFeatures[], asOf?: string): Promise<CollidingColumn[][]> {
  // Features that are named one by one were looked at when they were.
  const asked = services.flatMap(({ project, features, fullNames }) => (fullNames || features.length < 2 ? [] : features.map((text) => ({ reader: project, ...groupNamed(project, referenceOf(text).name) }))));
  if (asked.length === 0) return services.map(() => []);
  const { rows } = await pool.query<Giver>(givers(asOf), [asked.map(({ reader }) => reader), asked.map(({ project }) => project), asked.map(({ group }) => group)]);
  const known = new Map(rows.map((giver) => [`${giver.project}/${giver.name}`, giver]));
  return services.map((service) => (service.fullNames ? [] : collidingIn(service, known)));
}

function collidingIn({ project, features }: NamedFeatures, known: ReadonlyMap<string, Giver>): CollidingColumn[] {
  const of = new Map<string, string[]>();
  for (const text of features) {
    for (const column of columnsOf(project, text, known)) of.set(column, [...(of.get(column) ?? []), text]);
  }
  return [...of].filter(([, references]) => references.length > 1).map(([column, references]) => ({ column, of: references }));
}

function columnsOf(project: string, text: string, known: ReadonlyMap<string, Giver>): readonly string[] {
  const { name, feature } = referenceOf(text);
  if (feature !== undefined) return [feature];
  const { project: owner, group, version } = groupNamed(project, name);
  const giver = known.get(`${owner}/${group}`);
  return giver?.versions.find((one) => one.version === (version ?? giver.version))?.columns ?? [];
}
