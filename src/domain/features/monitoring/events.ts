import { z } from 'zod';
import { defineEvent, resourceName, type EventOf } from '../../kit/index.js';
import { expectation } from './expectations.js';
import { cron, timeZone } from '../../kit/schedule.js';
import { driftTests } from './tests.js';
import { moment } from './window.js';

const ofGroup = { project: resourceName, group: resourceName };

/** What a group's features are compared with: a window of its history, a service's training set over that window, or a saved training set. */
export const baseline = z.object({
  /** The window; null for a saved training set, which has rows of its own. */
  start: moment.nullable(),
  end: moment.nullable(),
  /** The service whose training set is meant, without which it is the group's own history. */
  service: resourceName.nullable(),
  /** The saved training set whose rows are meant. */
  trainingSet: resourceName.nullable(),
  /** Up to where the log counts; null for the place of the event itself, and for a saved training set, which has a place of its own. */
  knownAtPosition: z.string().nullable(),
});
export type Baseline = z.output<typeof baseline>;

/** When a group is compared with its baseline, and by what. */
export const monitor = z.object({
  cron,
  timeZone,
  windowSeconds: z.int().positive(),
  /** How long before the moment of the check its window ends, so that late rows are in it. */
  delaySeconds: z.int().nonnegative(),
  features: z.array(resourceName),
  tests: driftTests,
});
export type Monitor = z.output<typeof monitor>;

/** What happens to what is watched of a group. */
export const featureMonitoringEvents = [
  defineEvent('FeatureBaselineSet', z.object({ ...ofGroup, ...baseline.shape }), [(older) => ({ ...older, trainingSet: null })]),
  defineEvent('FeatureMonitorSet', z.object({ ...ofGroup, ...monitor.shape })),
  defineEvent('FeatureMonitorRemoved', z.object(ofGroup)),
  defineEvent('FeatureExpectationsSet', z.object({ ...ofGroup, expectations: z.array(expectation) })),
] as const;
export type FeatureMonitoringEvent = EventOf<(typeof featureMonitoringEvents)[number]>;
