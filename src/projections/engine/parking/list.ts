import type { Connections } from '../connections.js';
import type { ParkedKey } from '../../../api/core.js';
import { formatPosition } from '../../../platform/eventstore/port.js';

const selectParked = `
  select parked.view, parked.key, parked.error, parked.attempts, parked.parked_at as "parkedAt", held.waiting,
         event_id as id, event_type as type, stream, revision::text, commit_position::text as commit, prepare_position::text as prepare
  from projection_parked_keys parked
  cross join lateral (
    select count(*) - 1 as waiting from projection_parked_events event
    where (event.view, event.shadow, event.key) = (parked.view, parked.shadow, parked.key)
  ) held
  cross join lateral (
    select * from projection_parked_events event
    where (event.view, event.shadow, event.key) = (parked.view, parked.shadow, parked.key)
    order by commit_position, prepare_position limit 1
  ) first
  where not parked.shadow and ($1::text is null or parked.view = $1) and ($2::text is null or parked.key = $2)
  order by parked.parked_at, parked.view, parked.key
  limit 1000`;

/** The keys that wait, oldest first and at most a thousand: of all views or of one. */
export async function listParked(pool: Connections, view?: string, key?: string): Promise<ParkedKey[]> {
  const { rows } = await pool.query(selectParked, [view ?? null, key ?? null]);
  return rows.map(({ view, key, error, attempts, parkedAt, waiting, id, type, stream, revision, commit, prepare }) => ({
    view,
    key,
    event: { id, type, stream, revision, position: formatPosition({ commit: BigInt(commit), prepare: BigInt(prepare) }) },
    ...(error !== null && { error }),
    attempts,
    waiting: Number(waiting),
    parkedAt: parkedAt.toISOString(),
  }));
}
