import { z } from 'zod';
import { featureFigures } from '../../../domain/features/monitoring/figures.js';
import { moment, seriesOf, someWindows, timeRange, windowOf } from '../../../domain/features/monitoring/window.js';
import { formatTimeUs } from '../../../domain/features/times.js';
import { Refusal } from '../../../domain/kit/index.js';
import { formatPosition } from '../../../platform/eventstore/port.js';
import { sharedReplay } from '../history/shared-replay.js';
import { defineQuery } from '../../kit/query.js';
import { historyInput, historyOf } from './asked.js';
import { figuresOfWindows } from './figures.js';
import { sampleHistory } from './sampling.js';

const mostWindows = 1_000;

const windowFigures = z
  .object({ start: z.iso.datetime(), end: z.iso.datetime(), rows: z.int(), latest: z.iso.datetime().nullable().describe('The latest event time of its rows.'), features: z.array(featureFigures) })
  .meta({ id: 'WindowFigures' });

/** The statistics of a group's features, window by window of event time, read from the log. */
export const getFeatureStatistics = defineQuery({
  name: 'GetFeatureStatistics',
  summary: 'Figures of each feature in windows of event time: nulls, distinct values, percentiles, histogram; read from the log',
  http: { method: 'GET', path: '/api/v1/projects/{project}/feature-groups/{group}/statistics' },
  permission: 'features.read',
  views: [],
  input: z.object({
    ...historyInput,
    start: moment,
    end: moment,
    everySeconds: z.int().min(1).max(3_155_760_000).optional().describe('The length of a window: 3600 for hours, 86400 for days; one window where it is left out.'),
  }),
  output: z
    .object({
      project: z.string(),
      group: z.string(),
      version: z.int(),
      knownAtPosition: z.string().describe('Asked again with it, the answer is the same.'),
      windows: z.array(windowFigures),
    })
    .meta({ id: 'FeatureStatistics' }),
  run: async ({ start, end, everySeconds, ...asked }, { eventStore, signal }) => {
    const whole = windowOf(rangeOf(start, end));
    const windows = everySeconds === undefined ? someWindows([whole]) : seriesOf(requireFew(whole, everySeconds), everySeconds * 1_000_000);
    const { definition, features, known, samples } = await sampleHistory(sharedReplay(eventStore), historyOf(asked), windows, signal);
    const figures = await figuresOfWindows(samples, features, signal);
    return {
      project: asked.project,
      group: asked.group,
      version: definition.version,
      knownAtPosition: formatPosition(known.position),
      windows: windows.list.map(({ startUs, endUs }, at) => {
        const { rows, latestUs } = samples[at]!;
        return { start: formatTimeUs(startUs), end: formatTimeUs(endUs), rows, latest: rows === 0 ? null : formatTimeUs(latestUs), features: figures[at]! };
      }),
    };
  },
});

/** The two ends together; refuses when they do not follow each other. */
function rangeOf(start: string, end: string) {
  const range = timeRange.safeParse({ start, end });
  if (range.success) return range.data;
  throw new Refusal('INVALID_ARGUMENT', 'end is not after the start', { reason: 'INVALID_INPUT', fields: [{ field: 'end', description: 'is not after the start' }] });
}

function requireFew<Whole extends { startUs: number; endUs: number }>(whole: Whole, everySeconds: number): Whole {
  if (whole.endUs - whole.startUs <= mostWindows * everySeconds * 1_000_000) return whole;
  const description = `makes more than ${mostWindows} windows`;
  throw new Refusal('INVALID_ARGUMENT', `everySeconds ${description}`, { reason: 'INVALID_INPUT', fields: [{ field: 'everySeconds', description }] });
}
