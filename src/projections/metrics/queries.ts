import type { Pool } from 'pg';
import { z } from 'zod';
import { Refusal } from '../../domain/kit/index.js';
import { keyOfPageToken, otherQuestion, pageInput, pageTokenAfter } from '../kit/paging.js';
import { defineQuery } from '../kit/query.js';
import { metricsCheckpointRow } from './view.js';

const time = z.iso.datetime({ offset: true });
const view = z.string().min(1).max(128).optional().describe('Tells of this read model alone.');
const ofMetrics = { permission: 'platform.observe', views: ['metrics-checkpoints'] } as const;

/** Of one view where it is named: what others were like, and the queues, stay in the table. */
const columns = `tick, recorded_at as "recordedAt", end_of_log as "endOfLog",
  case when $1::text is null then views else (select coalesce(jsonb_agg(one), '[]') from jsonb_array_elements(views) one where one->>'view' = $1) end as views,
  case when $1::text is null then queues else '[]' end as queues`;

const selectLatest = `select ${columns} from metrics_checkpoints where tick <= coalesce($2::timestamptz, 'infinity') order by tick desc limit 1`;

const selectPage = `
  select ${columns} from metrics_checkpoints
  where tick >= coalesce($2::timestamptz, '-infinity') and tick < least($3::timestamptz, $4::timestamptz, 'infinity')
    and ($1::text is null or views @> jsonb_build_array(jsonb_build_object('view', $1)))
  order by tick desc limit $5`;

/** What was measured, as long ago as the log goes. */
export const metricsQueries = [
  defineQuery({
    ...ofMetrics,
    name: 'GetMetricsCheckpoint',
    summary: 'How the read models and the queues were when they were last measured, now or by a moment of the past',
    http: { method: 'GET', path: '/api/v1/metrics-checkpoints:latest' },
    input: z.object({ at: time.optional().describe('The last one at this time or before it; the newest where it is left out.'), view }),
    output: metricsCheckpointRow,
    run: async ({ at, view }, { pool }) => {
      const { rows: [found] } = await pool.query(selectLatest, [view ?? null, at ?? null]);
      if (found) return found;
      throw new Refusal('NOT_FOUND', at === undefined ? 'Nothing has been measured yet' : `Nothing had been measured at ${at} yet`, { reason: 'METRICS_CHECKPOINT_NOT_FOUND' });
    },
  }),
  defineQuery({
    ...ofMetrics,
    name: 'ListMetricsCheckpoints',
    summary: 'How the read models and the queues were, moment by moment, the newest first',
    http: { method: 'GET', path: '/api/v1/metrics-checkpoints' },
    input: z.object({ view, start: time.optional().describe('None before it.'), end: time.optional().describe('None at it or after it.'), ...pageInput }),
    output: z.object({ metricsCheckpoints: z.array(metricsCheckpointRow), nextPageToken: z.string() }).meta({ id: 'MetricsCheckpointList' }),
    run: async ({ pageSize, pageToken, ...range }, { pool }) => listPage(pool, range, pageSize, pageToken),
  }),
] as const;

async function listPage(pool: Pool, { view = null, start = null, end = null }: { view?: string | null; start?: string | null; end?: string | null }, pageSize: number, pageToken: string) {
  const asked = JSON.stringify([view, start, end]);
  const [question = asked, before = null] = keyOfPageToken(pageToken, 2) ?? [];
  if (question !== asked || (before !== null && !time.safeParse(before).success)) throw otherQuestion();
  const { rows } = await pool.query(selectPage, [view, start, end, before, pageSize + 1]);
  const page = rows.slice(0, pageSize);
  return { metricsCheckpoints: page, nextPageToken: pageTokenAfter(rows.length > pageSize ? [asked, page.at(-1).tick.toISOString()] : undefined) };
}
