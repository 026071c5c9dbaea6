import { z } from 'zod';
import { placeOf, placeWords } from '../kit/place.js';
import type { ReplaySelection } from './selection.js';

const place = z.string().max(64).refine((text) => placeOf(text) !== undefined, placeWords).optional();
const names = z.array(z.string().min(1).max(1024)).max(100).default([]);

/** The fields that choose events of the log, on every wire. */
export const selectionInput = {
  from: place.describe('Begin after this position, or at this time.'),
  to: place.describe('End with this position, or at this time.'),
  types: names.describe('Event types; * at the end of one stands for all that begin so.'),
  streams: names.describe('Names of streams, likewise.'),
  project: z.string().max(256).optional().describe('Only events of this project.'),
  actor: z.string().max(256).optional().describe('Only what this actor did.'),
  correlation: z.string().max(256).optional().describe('Only what belongs to this correlation id.'),
};

export type SelectionInput = z.output<z.ZodObject<typeof selectionInput>>;

/** What a checked input chooses. */
export const selectionOf = ({ from, to, types, streams, project, actor, correlation }: SelectionInput): ReplaySelection => ({
  from: from === undefined ? undefined : placeOf(from),
  to: to === undefined ? undefined : placeOf(to),
  types,
  streams,
  project,
  actor,
  correlationId: correlation,
});
