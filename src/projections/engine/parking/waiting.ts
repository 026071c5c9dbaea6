import type { ClientBase } from 'pg';

/** A parked event by its place in the log, and the key that it waits under. */
export interface HeldPlace {
  readonly key: string;
  readonly stream: string;
  readonly revision: bigint;
  readonly eventId: string;
  readonly commit: string;
  readonly prepare: string;
}

/** What has become of parked events that were tried. */
export interface Settlement {
  readonly taken: HeldPlace[];
  /** Events whose key is known by now, or known better. */
  readonly moved: HeldPlace[];
  /** Why the first event of a key could not be taken, by key. */
  readonly failed: Map<string, string>;
}

/** Before every parked event. */
export const startOfShelf: HeldPlace = { key: '', stream: '', revision: 0n, eventId: '', commit: '-1', prepare: '-1' };

/** The next parked events of a live view, in the order of the log. */
export async function heldAfter(client: ClientBase, view: string, { commit, prepare }: HeldPlace, limit: number): Promise<HeldPlace[]> {
  const { rows } = await client.query(
    `select key, stream, revision, event_id as "eventId", commit_position::text as commit, prepare_position::text as prepare
     from projection_parked_events
     where view = $1 and not shadow and (commit_position, prepare_position) > ($2::numeric, $3::numeric)
     order by commit_position, prepare_position limit $4`,
    [view, commit, prepare, limit],
  );
  return rows.map((row) => ({ ...row, revision: BigInt(row.revision) }));
}

/** The keys that wait only because an event of another key was not taken. */
export async function neverFailed(client: ClientBase, view: string): Promise<Set<string>> {
  const { rows } = await client.query('select key from projection_parked_keys where view = $1 and not shadow and attempts = 0', [view]);
  return new Set(rows.map(({ key }) => key));
}

/** The keys whose first event could not be taken for this reason. */
export async function failedWith(client: ClientBase, view: string, error: string): Promise<Set<string>> {
  const { rows } = await client.query('select key from projection_parked_keys where view = $1 and not shadow and error = $2', [view, error]);
  return new Set(rows.map(({ key }) => key));
}

/** Writes what has become of the events, and lets go of the keys under which none waits any more: true when there were such. */
export async function settle(client: ClientBase, view: string, { taken, moved, failed }: Settlement): Promise<boolean> {
  await client.query(
    `delete from projection_parked_events held using unnest($2::numeric[], $3::numeric[]) as taken(commit, prepare)
     where view = $1 and not shadow and commit_position = taken.commit and prepare_position = taken.prepare`,
    [view, ...placesOf(taken)],
  );
  await client.query(
    `update projection_parked_events held set key = moved.key from unnest($2::numeric[], $3::numeric[], $4::text[]) as moved(commit, prepare, key)
     where view = $1 and not shadow and commit_position = moved.commit and prepare_position = moved.prepare`,
    [view, ...placesOf(moved), moved.map(({ key }) => key)],
  );
  // The first event of these keys is gone: what waits behind it has not failed yet.
  await client.query('update projection_parked_keys set error = null, attempts = 0 where view = $1 and not shadow and key = any($2)', [view, taken.map(({ key }) => key)]);
  await client.query(
    `insert into projection_parked_keys as parked (view, shadow, key, error, attempts)
     select $1::text, false, key, error, 1 from unnest($2::text[], $3::text[]) as failed(key, error)
     on conflict (view, shadow, key) do update set error = excluded.error, attempts = parked.attempts + 1`,
    [view, [...failed.keys()], [...failed.values()]],
  );
  await client.query(
    `insert into projection_parked_keys (view, shadow, key)
     select distinct $1::text, false, key from projection_parked_events where view = $1 and not shadow and key = any($2) on conflict do nothing`,
    [view, moved.map(({ key }) => key)],
  );
  const { rowCount } = await client.query(
    `delete from projection_parked_keys parked where view = $1 and not shadow and not exists (
       select 1 from projection_parked_events held where (held.view, held.shadow, held.key) = (parked.view, parked.shadow, parked.key))`,
    [view],
  );
  return rowCount !== 0;
}

const placesOf = (places: readonly HeldPlace[]): string[][] => [places.map(({ commit }) => commit), places.map(({ prepare }) => prepare)];
