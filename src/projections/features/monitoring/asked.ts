import { z } from 'zod';
import { logPosition } from '../../../commands/kit/log-position.js';
import { moment } from '../../../domain/features/monitoring/window.js';
import { parseTimeUs } from '../../../domain/features/times.js';
import { resourceName } from '../../../domain/kit/index.js';
import { parsePosition } from '../../../platform/eventstore/port.js';
import type { AskedHistory } from './sampling.js';

/** What every question about a group's history takes. */
export const historyInput = {
  project: resourceName,
  group: resourceName,
  version: z.int().min(1).max(999_999).optional().describe('A version of the group; the promoted one where none is named.'),
  features: z.array(resourceName).max(1000).default([]).describe('Only these features; all where none is named.'),
  knownAtPosition: logPosition.optional().describe('Only what had been written up to this position of the log.'),
  knownAtTime: moment.optional().describe('Only what had been recorded up to this moment.'),
};

/** The same, read. */
export function historyOf({ project, group, version, features, knownAtPosition, knownAtTime }: z.output<z.ZodObject<typeof historyInput>>): AskedHistory {
  const known = { position: knownAtPosition === undefined ? undefined : parsePosition(knownAtPosition), timeUs: knownAtTime === undefined ? undefined : parseTimeUs(knownAtTime) };
  return { project, group, version, features: [...new Set(features)], known };
}
