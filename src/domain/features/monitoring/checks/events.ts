import { z } from 'zod';
import { defineEvent, resourceName, type EventOf } from '../../../kit/index.js';
import { featureDrift } from '../drift.js';
import { driftTests } from '../tests.js';
import { timeRange } from '../window.js';

const ofCheck = { project: resourceName, group: resourceName, check: resourceName };

/** What is asked of a drift check. */
export const driftCheckRequest = z.object({
  /** null for the group's baseline. */
  reference: timeRange.nullable(),
  current: timeRange,
  /** Empty for all. */
  features: z.array(resourceName),
  tests: driftTests,
  /** Up to where the log counts; null for the place of the request itself. */
  knownAtPosition: z.string().nullable(),
  /** The moment of the schedule that brought it; null when somebody asked. */
  tick: z.iso.datetime().nullable(),
});
export type DriftCheckRequest = z.output<typeof driftCheckRequest>;

/** What happens to one drift check. Each feature is told by itself, so that no event grows with the group. */
export const driftCheckEvents = [
  defineEvent('FeatureDriftCheckRequested', z.object({ ...ofCheck, ...driftCheckRequest.shape })),
  defineEvent('FeatureDriftMeasured', z.object({ ...ofCheck, window: timeRange, drift: featureDrift })),
  defineEvent(
    'FeatureDriftCheckCompleted',
    z.object({
      ...ofCheck,
      version: z.int().positive(),
      reference: timeRange,
      /** Asked again with it, the check gives the same. */
      knownAtPosition: z.string(),
      referenceRows: z.int(),
      currentRows: z.int(),
      measured: z.int(),
      drifted: z.array(z.string()),
      /** The expectations that the window breaks. */
      broken: z.array(z.string()),
    }),
  ),
  defineEvent('FeatureDriftCheckFailed', z.object({ ...ofCheck, reason: z.string() })),
] as const;
export type DriftCheckEvent = EventOf<(typeof driftCheckEvents)[number]>;
