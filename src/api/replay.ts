import { z } from 'zod';
import { parseInput } from '../commands/kit/validate.js';
import { ownerKeys } from '../domain/access/state.js';
import type { Decider } from '../domain/kit/index.js';
import { skippedEvents } from '../domain/projections/state.js';
import type { Position } from '../platform/eventstore/port.js';
import { placeOf, placeWords } from '../projections/kit/place.js';
import type { ReplaySelection } from '../projections/replay/selection.js';
import type { Core } from './core.js';

const place = z.string().transform((text, context): Position | Date => {
  const found = placeOf(text);
  if (found !== undefined) return found;
  context.addIssue(placeWords);
  return z.NEVER;
});
const names = z.preprocess((value) => (typeof value === 'string' ? value.split(',') : value), z.array(z.string().min(1)).max(100)).default([]);
const flag = z.enum(['true', 'false']).default('false').transform((text) => text === 'true');

const query = z.strictObject({
  from: place.optional(),
  to: place.optional(),
  type: names,
  stream: names,
  project: z.string().optional(),
  actor: z.string().optional(),
  correlation: z.string().optional(),
  state: flag,
  progress: flag,
});

/** What a replay was asked for in a query string. */
export function replayRequestOf(raw: unknown): { selection: ReplaySelection; state: boolean; progress: boolean } {
  const { from, to, type, stream, project, actor, correlation, state, progress } = parseInput(query, raw);
  return { selection: { from, to, types: type, streams: stream, project, actor, correlationId: correlation }, state, progress };
}

/** The deciders of all streams that have one. */
export function decidersOf({ catalogue }: Pick<Core, 'catalogue'>): readonly Decider[] {
  return [...new Set<Decider>([...catalogue.flatMap(({ commands }) => commands.map(({ decider }) => decider)), ownerKeys as Decider, skippedEvents as Decider])];
}
