import { z } from 'zod';
import { Refusal, resourceName } from '../../domain/kit/index.js';
import { asOfInput } from '../kit/as-of.js';
import { listInput, listPage, rowNamed, type Listing } from '../kit/list/page.js';
import { defineQuery } from '../kit/query.js';
import { featureGroupRow } from './groups-view.js';

const columns = `project, "group", version::float8, entities, features, versions, ttl_seconds::float8 as "ttlSeconds", partitions::float8, owner, description, tags,
  archived, created_at as "createdAt", created_by as "createdBy", updated_at as "updatedAt", etag`;

/** What the list may be filtered and sorted by. */
const listing: Listing = {
  table: 'feature_groups',
  columns,
  name: '"group"',
  fields: {
    group: { sql: '"group"', kind: 'text' },
    owner: { sql: 'owner', kind: 'text' },
    description: { sql: 'description', kind: 'text' },
    tags: { sql: 'tags', kind: 'tags' },
    archived: { sql: 'archived', kind: 'boolean' },
    createdAt: { sql: 'created_at', kind: 'time' },
    updatedAt: { sql: 'updated_at', kind: 'time' },
  },
  search: `concat_ws(' ', "group", owner, description, (select string_agg(key || ' ' || value, ' ') from jsonb_each_text(tags)),
    (select string_agg(concat_ws(' ', feature ->> 'name', feature ->> 'description'), ' ') from jsonb_array_elements(features) as feature))`,
  order: {
    group: { sql: '"group"', type: 'text' },
    owner: { sql: 'owner', type: 'text' },
    createdAt: { sql: 'created_at', type: 'timestamptz' },
    updatedAt: { sql: 'updated_at', type: 'timestamptz' },
  },
};

export const featureGroupQueries = [
  defineQuery({
    name: 'GetFeatureGroup',
    summary: 'One feature group',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-groups/{group}' },
    permission: 'features.read',
    views: ['feature-groups'],
    input: z.object({ project: resourceName, group: resourceName, ...asOfInput }),
    output: featureGroupRow,
    run: async ({ project, group, asOf }, { pool }) => {
      const row = await rowNamed(pool, listing, project, group, asOf);
      if (row) return row;
      throw new Refusal('NOT_FOUND', `Feature group ${group} does not exist in project ${project}`, { reason: 'FEATURE_GROUP_NOT_FOUND', metadata: { group } });
    },
  }),
  defineQuery({
    name: 'ListFeatureGroups',
    summary: 'The feature groups of a project, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-groups' },
    permission: 'features.read',
    views: ['feature-groups'],
    input: z.object({ project: resourceName, ...listInput(listing), ...asOfInput }),
    output: z.object({ featureGroups: z.array(featureGroupRow), nextPageToken: z.string() }).meta({ id: 'FeatureGroupList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, listing, project, request);
      return { featureGroups: rows, nextPageToken };
    },
  }),
] as const;
