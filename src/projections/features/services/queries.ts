import { z } from 'zod';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { asOfInput } from '../../kit/as-of.js';
import { listInput, listPage, rowNamed, type Listing } from '../../kit/list/page.js';
import { defineQuery } from '../../kit/query.js';
import { collidingColumns } from './colliding.js';
import { featureServiceRow } from './view.js';

const columns = `project, service, features, full_names as "fullNames", owner, description, tags,
  archived, created_at as "createdAt", created_by as "createdBy", updated_at as "updatedAt", etag`;

/** What the list may be filtered and sorted by. */
const listing: Listing = {
  table: 'feature_services',
  columns,
  name: 'service',
  fields: {
    service: { sql: 'service', kind: 'text' },
    owner: { sql: 'owner', kind: 'text' },
    description: { sql: 'description', kind: 'text' },
    tags: { sql: 'tags', kind: 'tags' },
    archived: { sql: 'archived', kind: 'boolean' },
    createdAt: { sql: 'created_at', kind: 'time' },
    updatedAt: { sql: 'updated_at', kind: 'time' },
  },
  search: `concat_ws(' ', service, owner, description, (select string_agg(key || ' ' || value, ' ') from jsonb_each_text(tags)), (select string_agg(feature, ' ') from jsonb_array_elements_text(features) as feature))`,
  order: {
    service: { sql: 'service', type: 'text' },
    owner: { sql: 'owner', type: 'text' },
    createdAt: { sql: 'created_at', type: 'timestamptz' },
    updatedAt: { sql: 'updated_at', type: 'timestamptz' },
  },
};

const collidingColumn = z.object({ column: z.string(), of: z.array(z.string()).describe('The features that make it, as the service names them.') }).meta({ id: 'CollidingColumn' });

/** A service as it is answered: the row, and what has come to stand in its way. */
const featureServiceAnswer = featureServiceRow
  .extend({ collidingColumns: z.array(collidingColumn).describe('Columns that have come to share a name: until that is mended the service is read with full names only.') })
  .meta({ id: 'FeatureService' });

/** The views that say what is in the groups that a service names. */
const views = ['feature-services', 'feature-groups', 'feature-group-shares', 'transformations'];

export const featureServiceQueries = [
  defineQuery({
    name: 'GetFeatureService',
    summary: 'One feature service',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-services/{service}' },
    permission: 'features.read',
    views,
    input: z.object({ project: resourceName, service: resourceName, ...asOfInput }),
    output: featureServiceAnswer,
    run: async ({ project, service, asOf }, { pool }) => {
      const row = await rowNamed(pool, listing, project, service, asOf);
      if (row) return { ...row, collidingColumns: (await collidingColumns(pool, [row], asOf))[0]! };
      throw new Refusal('NOT_FOUND', `Feature service ${service} does not exist in project ${project}`, { reason: 'FEATURE_SERVICE_NOT_FOUND', metadata: { service } });
    },
  }),
  defineQuery({
    name: 'ListFeatureServices',
    summary: 'The feature services of a project, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-services' },
    permission: 'features.read',
    views,
    input: z.object({ project: resourceName, ...listInput(listing), ...asOfInput }),
    output: z.object({ featureServices: z.array(featureServiceAnswer), nextPageToken: z.string() }).meta({ id: 'FeatureServiceList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, listing, project, request);
      const colliding = await collidingColumns(pool, rows, request.asOf);
      return { featureServices: rows.map((row, at) => ({ ...row, collidingColumns: colliding[at]! })), nextPageToken };
    },
  }),
] as const;
