import { z } from 'zod';
import { resourceName } from '../../../domain/kit/index.js';
import { listInput, listPage, type Listing } from '../../kit/list/page.js';
import { defineQuery } from '../../kit/query.js';
import { sharedGroupRow } from './view.js';

/** What the list may be filtered and sorted by. */
const listing: Listing = {
  table: 'feature_group_shares',
  columns: 'project, name, owner, "group", shared_at as "sharedAt", shared_by as "sharedBy"',
  name: 'name',
  fields: {
    name: { sql: 'name', kind: 'text' },
    owner: { sql: 'owner', kind: 'text' },
    group: { sql: '"group"', kind: 'text' },
    sharedAt: { sql: 'shared_at', kind: 'time' },
  },
  search: 'name',
  order: { name: { sql: 'name', type: 'text' }, sharedAt: { sql: 'shared_at', type: 'timestamptz' } },
};

export const featureGroupShareQueries = [
  defineQuery({
    name: 'ListSharedFeatureGroups',
    summary: 'The groups of other projects that a project may read, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/shared-feature-groups' },
    permission: 'features.read',
    views: ['feature-group-shares'],
    input: z.object({ project: resourceName, ...listInput }),
    output: z.object({ sharedFeatureGroups: z.array(sharedGroupRow), nextPageToken: z.string() }).meta({ id: 'SharedFeatureGroupList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, listing, project, request);
      return { sharedFeatureGroups: rows, nextPageToken };
    },
  }),
] as const;
