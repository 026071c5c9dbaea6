import type { ClientBase, Pool } from 'pg';
import type { Position } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';

/** How far a view is, as committed together with its rows. */
export interface Checkpoint {
  readonly view: string;
  readonly version: number;
  readonly position: Position;
  /** Another number whenever parked events were taken up again, or the rows replaced. */
  readonly parking: number;
  readonly error?: string;
  readonly eventsPerSecond: number;
  readonly updatedAt: Date;
}

/** One view's way from the place where it must still be to the next. */
export interface Move {
  readonly view: View;
  readonly from: Position;
  readonly to: Position;
  readonly parking: number;
  readonly eventsPerSecond: number;
}

const selectAll = `
  select view, version, commit_position::text as commit, prepare_position::text as prepare,
         parking, error, events_per_second as "eventsPerSecond", updated_at as "updatedAt"
  from projection_checkpoints`;

/** All checkpoints, by view. */
export async function readCheckpoints(db: Pool | ClientBase): Promise<Map<string, Checkpoint>> {
  const { rows } = await db.query(selectAll);
  return new Map(rows.map((row) => [row.view, checkpointOf(row)]));
}

/** One checkpoint, which nobody else can move before this transaction ends. */
export async function lockCheckpoint(client: ClientBase, view: string): Promise<Checkpoint | undefined> {
  const { rows } = await client.query(`${selectAll} where view = $1 for update`, [view]);
  return rows[0] && checkpointOf(rows[0]);
}

/** The compare-and-set that keeps a batch from being counted twice: false when any view stands elsewhere than expected. */
export async function moveCheckpoints(client: ClientBase, moves: readonly Move[]): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'move checkpoints',
    text: `
      update projection_checkpoints as held
      set commit_position = moved.to_commit, prepare_position = moved.to_prepare,
          events_per_second = moved.rate, error = null, updated_at = clock_timestamp()
      from unnest($1::text[], $2::integer[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::double precision[], $8::integer[])
        as moved(view, version, from_commit, from_prepare, to_commit, to_prepare, rate, parking)
      where held.view = moved.view and held.version = moved.version and held.parking = moved.parking
        and held.commit_position = moved.from_commit and held.prepare_position = moved.from_prepare`,
    values: [
      moves.map(({ view }) => view.name),
      moves.map(({ view }) => view.version),
      moves.map(({ from }) => `${from.commit}`),
      moves.map(({ from }) => `${from.prepare}`),
      moves.map(({ to }) => `${to.commit}`),
      moves.map(({ to }) => `${to.prepare}`),
      moves.map(({ eventsPerSecond }) => eventsPerSecond),
      moves.map(({ parking }) => parking),
    ],
  });
  return rowCount === moves.length;
}

/** Writes where a view stands that is being made or replaced, whatever stood there before. */
export async function putCheckpoint(db: Pool | ClientBase, { name, version }: View, { commit, prepare }: Position): Promise<void> {
  await db.query(
    `insert into projection_checkpoints as held (view, version, commit_position, prepare_position) values ($1, $2, $3, $4)
     on conflict (view) do update
     set version = excluded.version, parking = held.parking + 1, commit_position = excluded.commit_position, prepare_position = excluded.prepare_position,
         error = null, updated_at = clock_timestamp()`,
    [name, version, `${commit}`, `${prepare}`],
  );
}

/** Makes whoever projects the view look anew which of its keys are parked. */
export async function changeParking(client: ClientBase, { name }: View): Promise<void> {
  await client.query('update projection_checkpoints set parking = parking + 1 where view = $1', [name]);
}

/** With an empty log there is nothing to build: views without a checkpoint begin at its start. */
export async function beginViews(pool: Pool, views: readonly View[]): Promise<void> {
  await pool.query(
    `insert into projection_checkpoints (view, version, commit_position, prepare_position)
     select *, 0, 0 from unnest($1::text[], $2::integer[]) on conflict do nothing`,
    [views.map(({ name }) => name), views.map(({ version }) => version)],
  );
}

/** The version of a view that has never been built. */
const unbuilt = 0;

/** Lets everyone see why a view stands still, or why it is not there yet. */
export async function noteError(pool: Pool, view: string, error: string): Promise<void> {
  await pool.query(
    `insert into projection_checkpoints (view, version, commit_position, prepare_position, error) values ($1, ${unbuilt}, 0, 0, $2)
     on conflict (view) do update set error = excluded.error`,
    [view, error],
  );
}

function checkpointOf({ commit, prepare, error, ...rest }: any): Checkpoint {
  return { ...rest, error: error ?? undefined, position: { commit: BigInt(commit), prepare: BigInt(prepare) } };
}
