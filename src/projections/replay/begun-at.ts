import type { Pool } from 'pg';
import { placeBefore } from '../log-times/place-of-time.js';
import type { ReplaySelection } from './selection.js';

/** The selection with the place in the log where its time begins, so that what lies before is not read. */
export const begunAt = async (pool: Pool, selection: ReplaySelection): Promise<ReplaySelection> =>
  selection.from instanceof Date ? { ...selection, startAt: await placeBefore(pool, selection.from) } : selection;
