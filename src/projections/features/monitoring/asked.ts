import { z } from 'zod';
import { moment } from '../../../domain/features/monitoring/window.js';
import { parseTimeUs } from '../../../domain/features/times.js';
import { resourceName } from '../../../domain/kit/index.js';
import { parsePosition, PositionError } from '../../../platform/eventstore/port.js';
import type { AskedHistory } from './sampling.js';

const position = z.string().refine(isPosition, 'takes the position of an earlier answer');

/** What every question about a group's history takes. */
export const historyInput = {
  project: resourceName,
  group: resourceName,
  version: z.int().min(1).max(999_999).optional().describe('A version of the group; the promoted one where none is named.'),
  features: z.array(resourceName).max(1000).default([]).describe('Only these features; all where none is named.'),
  knownAtPosition: position.optional().describe('Only what had been written up to this position of the log.'),
  knownAtTime: moment.optional().describe('Only what had been recorded up to this moment.'),
};

/** The same, read. */
export function historyOf({ project, group, version, features, knownAtPosition, knownAtTime }: z.output<z.ZodObject<typeof historyInput>>): AskedHistory {
  const known = { position: knownAtPosition === undefined ? undefined : parsePosition(knownAtPosition), timeUs: knownAtTime === undefined ? undefined : parseTimeUs(knownAtTime) };
  return { project, group, version, features: [...new Set(features)], known };
}

function isPosition(text: string): boolean {
  try {
    parsePosition(text);
    return true;
  } catch (error) {
    if (error instanceof PositionError) return false;
    throw error;
  }
}
