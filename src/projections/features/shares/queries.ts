import { z } from 'zod';
import { resourceName } from '../../../domain/kit/index.js';
import { asOfInput } from '../../kit/as-of.js';
import { listInput, listPage, type Listing } from '../../kit/list/page.js';
import { defineQuery } from '../../kit/query.js';
import { groupShare, sharedGroupRow } from './view.js';

/** What the list of a project that may read may be filtered and sorted by. */
const granted: Listing = {
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

/** What the list of the project whose groups they are may be filtered and sorted by. */
const given: Listing = {
  table: 'feature_group_shares',
  columns: 'owner as project, "group", project as "withProject", shared_at as "sharedAt", shared_by as "sharedBy"',
  name: `("group" || '/' || project)`,
  within: 'owner',
  fields: {
    group: { sql: '"group"', kind: 'text' },
    withProject: { sql: 'project', kind: 'text' },
    sharedAt: { sql: 'shared_at', kind: 'time' },
  },
  search: `concat_ws(' ', "group", project)`,
  order: { group: { sql: '"group"', type: 'text' }, withProject: { sql: 'project', type: 'text' }, sharedAt: { sql: 'shared_at', type: 'timestamptz' } },
};

export const featureGroupShareQueries = [
  defineQuery({
    name: 'ListSharedFeatureGroups',
    summary: 'The groups of other projects that a project may read, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/shared-feature-groups' },
    permission: 'features.read',
    views: ['feature-group-shares'],
    input: z.object({ project: resourceName, ...listInput(granted), ...asOfInput }),
    output: z.object({ sharedFeatureGroups: z.array(sharedGroupRow), nextPageToken: z.string() }).meta({ id: 'SharedFeatureGroupList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, granted, project, request);
      return { sharedFeatureGroups: rows, nextPageToken };
    },
  }),
  defineQuery({
    name: 'ListFeatureGroupShares',
    summary: 'With whom a project shares its groups, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-group-shares' },
    permission: 'features.read',
    views: ['feature-group-shares'],
    input: z.object({ project: resourceName, ...listInput(given), ...asOfInput }),
    output: z.object({ featureGroupShares: z.array(groupShare), nextPageToken: z.string() }).meta({ id: 'FeatureGroupShareList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, given, project, request);
      return { featureGroupShares: rows, nextPageToken };
    },
  }),
] as const;
