import { z } from 'zod';
import { baseline, featureMonitoringEvents, monitor } from '../../../domain/features/monitoring/events.js';
import { expectation } from '../../../domain/features/monitoring/expectations.js';
import { defineView } from '../../engine/define.js';
import type { EventInfo } from '../../kit/view.js';

/** What is watched of a group: the row of the view, and the answer on every wire. */
export const featureMonitoringRow = z
  .object({
    project: z.string(),
    group: z.string(),
    baseline: baseline.extend({ knownAtPosition: z.string(), setAt: z.iso.datetime(), setBy: z.string() }).meta({ id: 'FeatureBaseline' }).nullable(),
    monitor: monitor.extend({ cron: z.string(), timeZone: z.string(), windowSeconds: z.int(), delaySeconds: z.int() }).meta({ id: 'FeatureMonitor' }).nullable(),
    monitorSince: z.iso.datetime().nullable(),
    expectations: z.array(expectation),
    updatedAt: z.iso.datetime(),
    etag: z.string(),
  })
  .meta({ id: 'FeatureMonitoring' });

/** One row a group that is watched. */
export const featureMonitoringView = defineView({
  name: 'feature-monitoring',
  version: 2,
  table: 'feature_monitoring',
  history: true,
  row: featureMonitoringRow,
  key: ['project', 'group'],
  events: featureMonitoringEvents,
  keyOf: ({ data }) => ({ project: data.project, group: data.group }),
  on: {
    FeatureBaselineSet: (row, { project, group, ...set }, info) => ({
      ...(row ?? nothing({ project, group })),
      baseline: { ...set, knownAtPosition: set.knownAtPosition ?? info.position, setAt: info.recordedAt, setBy: info.actor },
      ...touched(info),
    }),
    FeatureMonitorSet: (row, { project, group, ...set }, info) => ({ ...(row ?? nothing({ project, group })), monitor: set, monitorSince: info.recordedAt, ...touched(info) }),
    FeatureMonitorRemoved: (row, _, info) => row && { ...row, monitor: null, monitorSince: null, ...touched(info) },
    FeatureExpectationsSet: (row, { project, group, expectations }, info) => ({ ...(row ?? nothing({ project, group })), expectations, ...touched(info) }),
  },
});

const nothing = (name: { project: string; group: string }) => ({ ...name, baseline: null, monitor: null, monitorSince: null, expectations: [] });
const touched = (info: EventInfo) => ({ updatedAt: info.recordedAt, etag: `${info.revision}` });
