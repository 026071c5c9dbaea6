import { z } from 'zod';
import { Refusal, resourceName } from '../../domain/kit/index.js';
import { asOfInput, rowsAt } from '../kit/as-of.js';
import { keyOfPageToken, otherQuestion, pageInput, pageTokenAfter } from '../kit/paging.js';
import { defineQuery } from '../kit/query.js';

const project = z
  .object({
    project: z.string(),
    description: z.string(),
    archived: z.boolean(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    updatedAt: z.iso.datetime(),
    etag: z.string(),
  })
  .meta({ id: 'Project' });

const columns = `project, description, archived, created_at as "createdAt", created_by as "createdBy", updated_at as "updatedAt", etag`;

export const projectQueries = [
  defineQuery({
    name: 'GetProject',
    summary: 'One project',
    http: { method: 'GET', path: '/api/v1/projects/{project}' },
    permission: 'projects.read',
    views: ['projects'],
    input: z.object({ project: resourceName, ...asOfInput }),
    output: project,
    run: async (input, { pool }) => {
      const { rows } = await pool.query(`select ${columns} from ${rowsAt('projects', input.asOf)} where project = $1`, [input.project]);
      if (rows.length === 0) throw new Refusal('NOT_FOUND', `Project ${input.project} does not exist`, { reason: 'PROJECT_NOT_FOUND' });
      return rows[0];
    },
  }),
  defineQuery({
    name: 'ListProjects',
    summary: 'All projects, by name',
    http: { method: 'GET', path: '/api/v1/projects' },
    permission: 'projects.read',
    views: ['projects'],
    input: z.object({ ...pageInput, ...asOfInput }),
    output: z.object({ projects: z.array(project), nextPageToken: z.string() }).meta({ id: 'ProjectList' }),
    run: async ({ pageSize, pageToken, asOf }, { pool }) => {
      const moment = asOf === undefined ? [] : [asOf];
      const [after = '', then = asOf] = keyOfPageToken(pageToken, 1 + moment.length) ?? [];
      if (then !== asOf) throw otherQuestion();
      const { rows } = await pool.query(`select ${columns} from ${rowsAt('projects', asOf)} where project > $1 order by project limit $2`, [after, pageSize + 1]);
      const projects = rows.slice(0, pageSize);
      return { projects, nextPageToken: pageTokenAfter(rows.length > pageSize ? [projects.at(-1).project, ...moment] : undefined) };
    },
  }),
] as const;
