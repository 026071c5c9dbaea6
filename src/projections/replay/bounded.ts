import type { Pool } from 'pg';
import { placeAfter, placeBefore } from '../log-times/place-of-time.js';
import type { ReplaySelection } from './selection.js';

/** The selection with the places in the log between which its times lie, so that no more is read than that. */
export async function bounded(pool: Pool, selection: ReplaySelection): Promise<ReplaySelection> {
  const { from, to } = selection;
  const [startAt, endAt] = await Promise.all([from instanceof Date ? placeBefore(pool, from) : undefined, to instanceof Date ? placeAfter(pool, to) : undefined]);
  return { ...selection, startAt, endAt };
}
