import type { Pool } from 'pg';
import type { Projections } from '../../../api/core.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { IsNamed } from '../../../platform/contents.js';
import type { EventStore } from '../../../platform/eventstore/port.js';
import { trainingSetsView } from './view.js';

interface Parts {
  readonly eventStore: EventStore;
  readonly pool: Pool;
  readonly projections: Pick<Projections, 'waitFor' | 'parked'>;
}

const naming = `select 1 from training_sets where entity_rows ->> 'hash' = $1 or (stored and hash = $1) limit 1`;

/** Whether a saved training set names a content: asked of the read model once it holds all of the log, and refused while it cannot. */
export const isNamedBySavedSets = ({ eventStore, pool, projections }: Parts, timeoutMs: number): IsNamed => async (hash) => {
  const { name } = trainingSetsView;
  await projections.waitFor([name], await eventStore.endOfLog(), { timeoutMs });
  const parked = await projections.parked({ view: name });
  if (parked.length > 0) throw new Refusal('UNAVAILABLE', `The view ${name} has keys that stand still, so it cannot say which files are needed`, { reason: 'VIEW_HAS_PARKED_KEYS' });
  return (await pool.query(naming, [hash])).rows.length > 0;
};
