import type { Pool } from 'pg';
import { z } from 'zod';
import { featureFigures } from '../../../domain/features/monitoring/figures.js';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { formatPosition, parsePosition } from '../../../platform/eventstore/port.js';
import { asOfInput, rowsAt } from '../../kit/as-of.js';
import { defineQuery } from '../../kit/query.js';
import { sharedReplay } from '../history/shared-replay.js';
import { sampleBaseline } from './baseline.js';
import { figuresOfWindows } from './figures.js';
import { featureMonitoringRow } from './view.js';

const columns = `project, "group", baseline, monitor, monitor_since as "monitorSince", expectations, updated_at as "updatedAt", etag`;
const name = { project: resourceName, group: resourceName };

/** What is watched of a group. */
export const getFeatureMonitoring = defineQuery({
  name: 'GetFeatureMonitoring',
  summary: 'What is watched of a group: its baseline, its monitor and its expectations',
  http: { method: 'GET', path: '/api/v1/projects/{project}/feature-groups/{group}/monitoring' },
  permission: 'features.read',
  views: ['feature-monitoring'],
  input: z.object({ ...name, ...asOfInput }),
  output: featureMonitoringRow,
  run: async ({ project, group, asOf }, { pool }) => rowOf(pool, project, group, asOf),
});

/** The figures of a group's baseline, read from the log as it was known then. */
export const getFeatureBaseline = defineQuery({
  name: 'GetFeatureBaseline',
  summary: 'The figures of what a group is compared with, feature by feature',
  http: { method: 'GET', path: '/api/v1/projects/{project}/feature-groups/{group}/baseline' },
  permission: 'features.read',
  views: ['feature-monitoring'],
  input: z.object({ ...name, ...asOfInput }),
  output: z
    .object({
      project: z.string(),
      group: z.string(),
      start: z.iso.datetime(),
      end: z.iso.datetime(),
      service: z.string().nullable(),
      trainingSet: z.string().nullable(),
      knownAtPosition: z.string(),
      rows: z.int(),
      features: z.array(featureFigures),
    })
    .meta({ id: 'BaselineFigures' }),
  run: async ({ project, group, asOf }, { pool, eventStore, trainingSets, signal }) => {
    const { baseline } = await rowOf(pool, project, group, asOf);
    if (!baseline) throw nothingWatched(project, group, 'has no baseline', 'NO_BASELINE');
    const { service, trainingSet, knownAtPosition } = baseline;
    const { sample, features, range, position } = await sampleBaseline({ replay: sharedReplay(eventStore), contents: trainingSets }, { project, group, setAt: parsePosition(knownAtPosition) }, baseline, signal);
    return { project, group, ...range, service, trainingSet, knownAtPosition: formatPosition(position), rows: sample.rows, features: (await figuresOfWindows([sample], features, signal))[0]! };
  },
});

async function rowOf(pool: Pool, project: string, group: string, asOf?: string): Promise<z.output<typeof featureMonitoringRow>> {
  const { rows } = await pool.query(`select ${columns} from ${rowsAt('feature_monitoring', asOf)} where project = $1 and "group" = $2`, [project, group]);
  if (rows.length > 0) return rows[0];
  throw nothingWatched(project, group, 'is not watched', 'FEATURE_MONITORING_NOT_FOUND');
}

const nothingWatched = (project: string, group: string, what: string, reason: string) =>
  new Refusal('NOT_FOUND', `Feature group ${group} of project ${project} ${what}`, { reason, metadata: { group } });
