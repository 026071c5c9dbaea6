import { z } from 'zod';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { asOfInput, rowsAt } from '../../kit/as-of.js';
import { listInput, listPage, rowNamed, type Listing } from '../../kit/list/page.js';
import { defineQuery } from '../../kit/query.js';
import { applyPipelineToRows } from './apply-to-rows.js';
import { pipelineRow, pipelineRunRow } from './views.js';

const columns = `project, pipeline, version::float8, source, steps, target, owner, description, tags,
  archived, created_at as "createdAt", created_by as "createdBy", updated_at as "updatedAt", etag`;

const listing: Listing = {
  table: 'pipelines',
  columns,
  name: 'pipeline',
  fields: {
    pipeline: { sql: 'pipeline', kind: 'text' },
    source: { sql: 'source', kind: 'text' },
    target: { sql: 'target', kind: 'text' },
    owner: { sql: 'owner', kind: 'text' },
    description: { sql: 'description', kind: 'text' },
    tags: { sql: 'tags', kind: 'tags' },
    archived: { sql: 'archived', kind: 'boolean' },
    createdAt: { sql: 'created_at', kind: 'time' },
    updatedAt: { sql: 'updated_at', kind: 'time' },
  },
  search: `concat_ws(' ', pipeline, source, target, owner, description, (select string_agg(key || ' ' || value, ' ') from jsonb_each_text(tags)),
    (select string_agg(concat_ws(' ', step ->> 'feature', step ->> 'from'), ' ') from jsonb_array_elements(steps) as step))`,
  order: {
    pipeline: { sql: 'pipeline', type: 'text' },
    owner: { sql: 'owner', type: 'text' },
    createdAt: { sql: 'created_at', type: 'timestamptz' },
    updatedAt: { sql: 'updated_at', type: 'timestamptz' },
  },
};

const runColumns = `project, pipeline, run, state, start, "end", version::float8, position, slices::float8, slices_done::float8 as "slicesDone",
  rows_read::float8 as "rowsRead", rows_written::float8 as "rowsWritten", error, attempt::float8,
  requested_at as "requestedAt", requested_by as "requestedBy", updated_at as "updatedAt", etag`;

const runListing: Listing = {
  table: 'pipeline_runs',
  columns: runColumns,
  name: `(pipeline || '.' || run)`,
  fields: {
    pipeline: { sql: 'pipeline', kind: 'text' },
    run: { sql: 'run', kind: 'text' },
    state: { sql: 'state', kind: 'text' },
    requestedBy: { sql: 'requested_by', kind: 'text' },
    requestedAt: { sql: 'requested_at', kind: 'time' },
    updatedAt: { sql: 'updated_at', kind: 'time' },
  },
  search: `concat_ws(' ', pipeline, run, error)`,
  order: {
    requestedAt: { sql: 'requested_at', type: 'timestamptz' },
    updatedAt: { sql: 'updated_at', type: 'timestamptz' },
  },
};

export const pipelineQueries = [
  applyPipelineToRows,
  defineQuery({
    name: 'GetPipeline',
    summary: 'One pipeline',
    http: { method: 'GET', path: '/api/v1/projects/{project}/pipelines/{pipeline}' },
    permission: 'features.read',
    views: ['pipelines'],
    input: z.object({ project: resourceName, pipeline: resourceName, ...asOfInput }),
    output: pipelineRow,
    run: async ({ project, pipeline, asOf }, { pool }) => {
      const row = await rowNamed(pool, listing, project, pipeline, asOf);
      if (row) return row;
      throw new Refusal('NOT_FOUND', `Pipeline ${pipeline} does not exist in project ${project}`, { reason: 'PIPELINE_NOT_FOUND', metadata: { pipeline } });
    },
  }),
  defineQuery({
    name: 'ListPipelines',
    summary: 'The pipelines of a project, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/pipelines' },
    permission: 'features.read',
    views: ['pipelines'],
    input: z.object({ project: resourceName, ...listInput(listing), ...asOfInput }),
    output: z.object({ pipelines: z.array(pipelineRow), nextPageToken: z.string() }).meta({ id: 'PipelineList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, listing, project, request);
      return { pipelines: rows, nextPageToken };
    },
  }),
  defineQuery({
    name: 'GetPipelineRun',
    summary: 'One application of a pipeline, and how far it is',
    http: { method: 'GET', path: '/api/v1/projects/{project}/pipelines/{pipeline}/runs/{run}' },
    permission: 'features.read',
    views: ['pipeline-runs'],
    input: z.object({ project: resourceName, pipeline: resourceName, run: resourceName, ...asOfInput }),
    output: pipelineRunRow,
    run: async ({ project, pipeline, run, asOf }, { pool }) => {
      const { rows } = await pool.query(`select ${runColumns} from ${rowsAt('pipeline_runs', asOf)} where project = $1 and pipeline = $2 and run = $3`, [project, pipeline, run]);
      if (rows.length > 0) return withoutNulls(rows[0]);
      throw new Refusal('NOT_FOUND', `Pipeline ${pipeline} has no run ${run}`, { reason: 'PIPELINE_RUN_NOT_FOUND', metadata: { pipeline, run } });
    },
  }),
  defineQuery({
    name: 'ListPipelineRuns',
    summary: 'The applications of the pipelines of a project, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/pipeline-runs' },
    permission: 'features.read',
    views: ['pipeline-runs'],
    input: z.object({ project: resourceName, ...listInput(runListing), ...asOfInput }),
    output: z.object({ pipelineRuns: z.array(pipelineRunRow), nextPageToken: z.string() }).meta({ id: 'PipelineRunList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, runListing, project, request);
      return { pipelineRuns: rows.map(withoutNulls), nextPageToken };
    },
  }),
] as const;

/** A bound that was left out is left out again. */
const withoutNulls = ({ start, end, ...run }: any) => ({ ...run, ...(start && { start }), ...(end && { end }) });
