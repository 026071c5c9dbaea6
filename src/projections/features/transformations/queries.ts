import { z } from 'zod';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { asOfInput } from '../../kit/as-of.js';
import { listInput, listPage, rowNamed, type Listing } from '../../kit/list/page.js';
import { defineQuery } from '../../kit/query.js';
import { transformationRow } from './view.js';

const columns = `project, transformation, version::float8, inputs, outputs, versions, owner, description, tags,
  archived, created_at as "createdAt", created_by as "createdBy", updated_at as "updatedAt", etag`;

/** What the list may be filtered and sorted by. */
const listing: Listing = {
  table: 'transformations',
  columns,
  name: 'transformation',
  fields: {
    transformation: { sql: 'transformation', kind: 'text' },
    owner: { sql: 'owner', kind: 'text' },
    description: { sql: 'description', kind: 'text' },
    tags: { sql: 'tags', kind: 'tags' },
    archived: { sql: 'archived', kind: 'boolean' },
    createdAt: { sql: 'created_at', kind: 'time' },
    updatedAt: { sql: 'updated_at', kind: 'time' },
  },
  search: `concat_ws(' ', transformation, owner, description, (select string_agg(key || ' ' || value, ' ') from jsonb_each_text(tags)),
    (select string_agg(input ->> 'feature', ' ') from jsonb_array_elements(inputs) as input), (select string_agg(output ->> 'name', ' ') from jsonb_array_elements(outputs) as output))`,
  order: {
    transformation: { sql: 'transformation', type: 'text' },
    owner: { sql: 'owner', type: 'text' },
    createdAt: { sql: 'created_at', type: 'timestamptz' },
    updatedAt: { sql: 'updated_at', type: 'timestamptz' },
  },
};

export const transformationQueries = [
  defineQuery({
    name: 'GetTransformation',
    summary: 'One transformation, with all its versions',
    http: { method: 'GET', path: '/api/v1/projects/{project}/transformations/{transformation}' },
    permission: 'features.read',
    views: ['transformations'],
    input: z.object({ project: resourceName, transformation: resourceName, ...asOfInput }),
    output: transformationRow,
    run: async ({ project, transformation, asOf }, { pool }) => {
      const row = await rowNamed(pool, listing, project, transformation, asOf);
      if (row) return row;
      throw new Refusal('NOT_FOUND', `Transformation ${transformation} does not exist in project ${project}`, { reason: 'TRANSFORMATION_NOT_FOUND', metadata: { transformation } });
    },
  }),
  defineQuery({
    name: 'ListTransformations',
    summary: 'The transformations of a project, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/transformations' },
    permission: 'features.read',
    views: ['transformations'],
    input: z.object({ project: resourceName, ...listInput(listing), ...asOfInput }),
    output: z.object({ transformations: z.array(transformationRow), nextPageToken: z.string() }).meta({ id: 'TransformationList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, listing, project, request);
      return { transformations: rows, nextPageToken };
    },
  }),
] as const;
