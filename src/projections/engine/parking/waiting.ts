import type { ClientBase } from 'pg';
import type { Shelf } from './shelf.js';

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

/** The next parked events of a shelf, in the order of the log. */
export async function heldAfter(client: ClientBase, { name, shadow }: Shelf, { commit, prepare }: HeldPlace, limit: number): Promise<HeldPlace[]> {
  const { rows } = await client.query(
    `select key, stream, revision, event_id as "eventId", commit_position::text as commit, prepare_position::text as prepare
     from projection_parked_events
     where view = $1 and shadow = $2 and (commit_position, prepare_position) > ($3::numeric, $4::numeric)
     order by commit_position, prepare_position limit $5`,
    [name, shadow, commit, prepare, limit],
  );
  return rows.map((row) => ({ ...row, revision: BigInt(row.revision) }));
}

/** The keys that wait only because an event of another key was not taken. */
export async function neverFailed(client: ClientBase, { name, shadow }: Shelf): Promise<Set<string>> {
  const { rows } = await client.query('select key from projection_parked_keys where view = $1 and shadow = $2 and attempts = 0', [name, shadow]);
  return new Set(rows.map(({ key }) => key));
}

/** The keys whose first event could not be taken for this reason. */
export async function failedWith(client: ClientBase, { name, shadow }: Shelf, error: string): Promise<Set<string>> {
  const { rows } = await client.query('select key from projection_parked_keys where view = $1 and shadow = $2 and error = $3', [name, shadow, error]);
  return new Set(rows.map(({ key }) => key));
}

/** Writes what has become of the events, and lets go of the keys under which none waits any more: true when there were such. */
export async function settle(client: ClientBase, { name, shadow }: Shelf, { taken, moved, failed }: Settlement): Promise<boolean> {
  await client.query(
    `delete from projection_parked_events held using unnest($3::numeric[], $4::numeric[]) as taken(commit, prepare)
     where view = $1 and shadow = $2 and commit_position = taken.commit and prepare_position = taken.prepare`,
    [name, shadow, ...placesOf(taken)],
  );
  await client.query(
    `update projection_parked_events held set key = moved.key from unnest($3::numeric[], $4::numeric[], $5::text[]) as moved(commit, prepare, key)
     where view = $1 and shadow = $2 and commit_position = moved.commit and prepare_position = moved.prepare`,
    [name, shadow, ...placesOf(moved), moved.map(({ key }) => key)],
  );
  // The first event of these keys is gone: what waits behind it has not failed yet.
  await client.query('update projection_parked_keys set error = null, attempts = 0 where view = $1 and shadow = $2 and key = any($3)', [name, shadow, taken.map(({ key }) => key)]);
  await client.query(
    `insert into projection_parked_keys as parked (view, shadow, key, error, attempts)
     select $1::text, $2::boolean, key, error, 1 from unnest($3::text[], $4::text[]) as failed(key, error)
     on conflict (view, shadow, key) do update set error = excluded.error, attempts = parked.attempts + 1`,
    [name, shadow, [...failed.keys()], [...failed.values()]],
  );
  await client.query(
    `insert into projection_parked_keys (view, shadow, key)
     select distinct $1::text, $2::boolean, key from projection_parked_events where view = $1 and shadow = $2 and key = any($3) on conflict do nothing`,
    [name, shadow, moved.map(({ key }) => key)],
  );
  const { rowCount } = await client.query(
    `delete from projection_parked_keys parked where view = $1 and shadow = $2 and not exists (
       select 1 from projection_parked_events held where (held.view, held.shadow, held.key) = (parked.view, parked.shadow, parked.key))`,
    [name, shadow],
  );
  return rowCount !== 0;
}

/** Those of the events that wait on the shelf, and the keys that they wait under. */
export async function heldOf(client: ClientBase, { name, shadow }: Shelf, ids: Iterable<string>): Promise<{ id: string; key: string }[]> {
  const { rows } = await client.query(
    'select event_id as id, key from projection_parked_events where view = $1 and shadow = $2 and event_id = any($3) order by commit_position, prepare_position',
    [name, shadow, [...ids]],
  );
  return rows;
}

const placesOf = (places: readonly HeldPlace[]): string[][] => [places.map(({ commit }) => commit), places.map(({ prepare }) => prepare)];
