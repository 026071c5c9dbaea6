import { z } from 'zod';
import { rowsFromJson } from '../../../commands/features/row-wise.js';
import { applyToRows } from '../../../commands/pipelines/given-rows.js';
import { preparePipeline } from '../../../commands/pipelines/prepare.js';
import { expectationFinding } from '../../../domain/features/monitoring/expectations.js';
import { resourceName } from '../../../domain/kit/index.js';
import { formatPosition } from '../../../platform/eventstore/port.js';
import { defineQuery } from '../../kit/query.js';
import { sharedReplay } from '../history/shared-replay.js';
import { newestPipeline } from './newest.js';

const mostRows = 10_000;
const values = z.record(z.string(), z.unknown());

/** A row of the source. Faults of its keys, time and values are told row by row, so they are left open here. */
const givenRow = z.object({ entity: values.default({}), eventTime: z.unknown().optional().describe('ISO 8601.'), values: values.default({}) }).meta({ id: 'GivenRow' });

const madeRow = z
  .object({ row: z.int().describe('Of which of the given rows it is made, counted from zero.'), entity: values, eventTime: z.iso.datetime(), values })
  .meta({ id: 'MadeRow' });

const fault = z
  .object({ row: z.int().describe('Counted from zero.'), field: z.string().describe('`values.amount` of the given row, or `target.values.share` of what was made of it.'), description: z.string() })
  .meta({ id: 'GivenRowFault' });

/** What a run would write of rows that are given, made at once and written nowhere. */
export const applyPipelineToRows = defineQuery({
  name: 'ApplyPipelineToRows',
  summary: 'Applies a pipeline to given rows of its source, as if they had just been written: rows of the target come back, and nothing is written',
  http: { method: 'POST', path: '/api/v1/projects/{project}/pipelines/{pipeline}:applyToRows' },
  permission: 'features.read',
  views: [],
  input: z.object({ project: resourceName, pipeline: resourceName, rows: z.array(givenRow).min(1).max(mostRows).describe('Rows as the source might hold them.') }),
  output: z
    .object({
      pipeline: z.string(),
      version: z.int(),
      source: z.string().describe('With its version: payments@1.'),
      target: z.string().describe('With its version: a write of the group takes the rows as they are.'),
      knownAtPosition: z.string().describe('Everything up to here was taken in.'),
      rows: z.array(madeRow),
      faults: z.array(fault).describe('Why a given row makes no row: what its source would not take of it, or the target of what is made of it.'),
      brokenExpectations: z.array(expectationFinding).describe('What is expected of the target and broken by the made rows together; where a write would be refused for it, so is this.'),
    })
    .meta({ id: 'PipelineRows' }),
  run: async ({ project, pipeline, rows }, { eventStore, signal }) => {
    const flow = await newestPipeline(eventStore, { project, pipeline }, signal);
    const prepared = await preparePipeline(eventStore, project, flow, signal);
    const { source, target, known } = prepared;
    const made = await applyToRows(sharedReplay(eventStore), prepared, rowsFromJson(rows), signal);
    return { pipeline, version: flow.version, source: `${source.group}@${source.version}`, target: `${target.group}@${target.version}`, knownAtPosition: formatPosition(known.position), rows: [...made.rows], faults: [...made.faults], brokenExpectations: [...made.broken] };
  },
});
