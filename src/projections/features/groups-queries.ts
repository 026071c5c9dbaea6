import { z } from 'zod';
import { Refusal, resourceName } from '../../domain/kit/index.js';
import { keyOfPageToken, pageInput, pageTokenAfter } from '../kit/paging.js';
import { defineQuery } from '../kit/query.js';
import { featureGroupRow } from './groups-view.js';

const columns = `project, "group", version::float8, entities, features, ttl_seconds::float8 as "ttlSeconds", partitions::float8, owner, description, tags,
  archived, created_at as "createdAt", created_by as "createdBy", updated_at as "updatedAt", etag`;

export const featureGroupQueries = [
  defineQuery({
    name: 'GetFeatureGroup',
    summary: 'One feature group',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-groups/{group}' },
    permission: 'features.read',
    views: ['feature-groups'],
    input: z.object({ project: resourceName, group: resourceName }),
    output: featureGroupRow,
    run: async ({ project, group }, { pool }) => {
      const { rows } = await pool.query(`select ${columns} from feature_groups where project = $1 and "group" = $2`, [project, group]);
      if (rows.length > 0) return rows[0];
      throw new Refusal('NOT_FOUND', `Feature group ${group} does not exist in project ${project}`, { reason: 'FEATURE_GROUP_NOT_FOUND', metadata: { group } });
    },
  }),
  defineQuery({
    name: 'ListFeatureGroups',
    summary: 'The feature groups of a project, by name',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-groups' },
    permission: 'features.read',
    views: ['feature-groups'],
    input: z.object({ project: resourceName, ...pageInput }),
    output: z.object({ featureGroups: z.array(featureGroupRow), nextPageToken: z.string() }).meta({ id: 'FeatureGroupList' }),
    run: async ({ project, pageSize, pageToken }, { pool }) => {
      const [after = ''] = keyOfPageToken(pageToken, 1) ?? [];
      const { rows } = await pool.query(`select ${columns} from feature_groups where project = $1 and "group" > $2 order by "group" limit $3`, [project, after, pageSize + 1]);
      const featureGroups = rows.slice(0, pageSize);
      return { featureGroups, nextPageToken: pageTokenAfter(rows.length > pageSize ? [featureGroups.at(-1).group] : undefined) };
    },
  }),
] as const;
