import { test } from '@jest/globals';
import { recordMetricsCheckpoint } from '../../../src/domain/metrics/decisions.js';
import { metricsCheckpoint } from '../../../src/domain/metrics/state.js';
import { anyContext, specify } from '../../support/specify.js';

const given = specify(metricsCheckpoint);
const first = { tick: '2026-01-01T14:00:00.000Z', endOfLog: '9', views: [], queues: [] };
const later = { ...first, endOfLog: '12' };

test('a moment of the schedule is on record once: as the first one measured it', () => {
  given().when((state) => recordMetricsCheckpoint(first, state, anyContext)).then({ type: 'MetricsCheckpointRecorded', data: first });
  given({ type: 'MetricsCheckpointRecorded', data: first }).when((state) => recordMetricsCheckpoint(first, state, anyContext)).thenNothing();
  given({ type: 'MetricsCheckpointRecorded', data: first }).when((state) => recordMetricsCheckpoint(later, state, anyContext)).thenNothing();
});
