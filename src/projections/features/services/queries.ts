import { z } from 'zod';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { keyOfPageToken, pageInput, pageTokenAfter } from '../../kit/paging.js';
import { defineQuery } from '../../kit/query.js';
import { featureServiceRow } from './view.js';

const columns = `project, service, features, full_names as "fullNames", owner, description, tags,
  archived, created_at as "createdAt", created_by as "createdBy", updated_at as "updatedAt", etag`;

export const featureServiceQueries = [
  defineQuery({
    name: 'GetFeatureService',
    summary: 'One feature service',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-services/{service}' },
    permission: 'features.read',
    views: ['feature-services'],
    input: z.object({ project: resourceName, service: resourceName }),
    output: featureServiceRow,
    run: async ({ project, service }, { pool }) => {
      const { rows } = await pool.query(`select ${columns} from feature_services where project = $1 and service = $2`, [project, service]);
      if (rows.length > 0) return rows[0];
      throw new Refusal('NOT_FOUND', `Feature service ${service} does not exist in project ${project}`, { reason: 'FEATURE_SERVICE_NOT_FOUND', metadata: { service } });
    },
  }),
  defineQuery({
    name: 'ListFeatureServices',
    summary: 'The feature services of a project, by name',
    http: { method: 'GET', path: '/api/v1/projects/{project}/feature-services' },
    permission: 'features.read',
    views: ['feature-services'],
    input: z.object({ project: resourceName, ...pageInput }),
    output: z.object({ featureServices: z.array(featureServiceRow), nextPageToken: z.string() }).meta({ id: 'FeatureServiceList' }),
    run: async ({ project, pageSize, pageToken }, { pool }) => {
      const [after = ''] = keyOfPageToken(pageToken, 1) ?? [];
      const { rows } = await pool.query(`select ${columns} from feature_services where project = $1 and service > $2 order by service limit $3`, [project, after, pageSize + 1]);
      const featureServices = rows.slice(0, pageSize);
      return { featureServices, nextPageToken: pageTokenAfter(rows.length > pageSize ? [featureServices.at(-1).service] : undefined) };
    },
  }),
] as const;
