import type { ClientBase } from 'pg';
import { comparePositions, type Position } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import type { Connections, Queryable } from './connections.js';
import type { Slice } from './slices.js';

/** How far one slice of a view is, as committed together with its rows. */
export interface Checkpoint {
  readonly view: string;
  readonly slice: number;
  readonly position: Position;
  readonly error?: string;
  readonly eventsPerSecond: number;
  /** How many it has taken, those of rebuilds left out. */
  readonly events: number;
  readonly updatedAt: Date;
}

/** How far a view is: the checkpoints of all its slices, and what they have in common. */
export interface ViewCheckpoint {
  readonly version: number;
  /** Another number whenever parked events were taken up again, or the rows replaced. */
  readonly parking: number;
  /** In their order; one where the view is not split. */
  readonly slices: readonly Checkpoint[];
  /** The least of the slices' positions: everything up to here is in the rows. */
  readonly position: Position;
  /** Nothing behind this is in the rows. */
  readonly furthest: Position;
}

/** One slice's way from the place where it must still be to the next. */
export interface Move {
  readonly slice: Slice;
  readonly from: Position;
  readonly to: Position;
  readonly parking: number;
  readonly eventsPerSecond: number;
  /** How many events it takes on the way. */
  readonly events: number;
}

const selectAll = `
  select view, slice, version, commit_position::text as commit, prepare_position::text as prepare,
         parking, error, events_per_second as "eventsPerSecond", events::float8, updated_at as "updatedAt"
  from projection_checkpoints`;

/** All checkpoints, by view. */
export async function readCheckpoints(db: Queryable): Promise<Map<string, ViewCheckpoint>> {
  const { rows } = await db.query(`${selectAll} order by view, slice`);
  return new Map([...Map.groupBy(rows, ({ view }): string => view)].map(([view, slices]) => [view, viewCheckpointOf(slices)]));
}

/** A view's checkpoint, which nobody else can move before this transaction ends. */
export async function lockCheckpoint(client: ClientBase, view: string): Promise<ViewCheckpoint | undefined> {
  const { rows } = await client.query(`${selectAll} where view = $1 order by slice for update`, [view]);
  return rows.length > 0 ? viewCheckpointOf(rows) : undefined;
}

/** The compare-and-set that keeps a batch from being counted twice: false when any slice stands elsewhere than expected. */
export async function moveCheckpoints(client: ClientBase, moves: readonly Move[]): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'move checkpoints',
    text: `
      update projection_checkpoints as held
      set commit_position = moved.to_commit, prepare_position = moved.to_prepare,
          events_per_second = moved.rate, events = held.events + moved.events, error = null, updated_at = clock_timestamp()
      from unnest($1::text[], $2::integer[], $3::integer[], $4::integer[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[], $9::double precision[], $10::integer[], $11::integer[])
        as moved(view, slice, slices, version, from_commit, from_prepare, to_commit, to_prepare, rate, parking, events)
      where held.view = moved.view and held.slice = moved.slice and held.slices = moved.slices
        and held.version = moved.version and held.parking = moved.parking
        and held.commit_position = moved.from_commit and held.prepare_position = moved.from_prepare`,
    values: [
      moves.map(({ slice }) => slice.view.name),
      moves.map(({ slice }) => slice.index),
      moves.map(({ slice }) => slice.of),
      moves.map(({ slice }) => slice.view.version),
      moves.map(({ from }) => `${from.commit}`),
      moves.map(({ from }) => `${from.prepare}`),
      moves.map(({ to }) => `${to.commit}`),
      moves.map(({ to }) => `${to.prepare}`),
      moves.map(({ eventsPerSecond }) => eventsPerSecond),
      moves.map(({ parking }) => parking),
      moves.map(({ events }) => events),
    ],
  });
  return rowCount === moves.length;
}

/** Those of the views whose checkpoints somebody else holds at this moment. */
export async function heldCheckpoints(client: ClientBase, views: readonly string[]): Promise<string[]> {
  const free = `select view, slice from projection_checkpoints where view = any($1) for update skip locked`;
  const { rows } = await client.query(`with free as materialized (${free}) select distinct view from projection_checkpoints held where view = any($1) and not exists (select from free where (free.view, free.slice) = (held.view, held.slice))`, [views]);
  return rows.map(({ view }) => view);
}

/** Writes where a view stands that is being made or replaced, whatever stood there before: all slices that it has, at one position. */
export async function putCheckpoint(db: Queryable, { name, version }: View, { commit, prepare }: Position): Promise<void> {
  await db.query(
    `insert into projection_checkpoints as held (view, version, commit_position, prepare_position, slices, slice)
     select $1::text, $2::integer, $3::numeric, $4::numeric, slices, generate_series(0, slices - 1)
     from (select coalesce(max(slices), 1) as slices from projection_checkpoints where view = $1) as counted
     on conflict (view, slice) do update
     set version = excluded.version, parking = held.parking + 1, commit_position = excluded.commit_position, prepare_position = excluded.prepare_position,
         error = null, updated_at = clock_timestamp()`,
    [name, version, `${commit}`, `${prepare}`],
  );
}

/** Splits a view anew whose slices stand at one position and are held by this transaction. */
export async function putSlices(client: ClientBase, { name }: View, { version, parking, furthest, slices: before }: ViewCheckpoint, slices: number): Promise<void> {
  await client.query('delete from projection_checkpoints where view = $1', [name]);
  await client.query(
    `insert into projection_checkpoints (view, version, commit_position, prepare_position, parking, slices, slice, events)
     select $1, $2, $3, $4, $5, $6, slice, case slice when 0 then $7::bigint else 0 end from generate_series(0, $6 - 1) as slice`,
    [name, version, `${furthest.commit}`, `${furthest.prepare}`, parking + 1, slices, before.reduce((sum, { events }) => sum + events, 0)],
  );
}

/** Makes whoever projects the view look anew which of its keys are parked. */
export async function changeParking(client: ClientBase, { name }: View): Promise<void> {
  await client.query('update projection_checkpoints set parking = parking + 1 where view = $1', [name]);
}

/** With an empty log there is nothing to build: views without a checkpoint begin at its start. */
export async function beginViews(pool: Connections, views: readonly View[]): Promise<void> {
  await pool.query(
    `insert into projection_checkpoints (view, version, commit_position, prepare_position)
     select *, 0, 0 from unnest($1::text[], $2::integer[]) on conflict do nothing`,
    [views.map(({ name }) => name), views.map(({ version }) => version)],
  );
}

/** The version of a view that has never been built. */
const unbuilt = 0;

/** Lets everyone see why a slice stands still, or why its view is not there yet. */
export async function noteError(pool: Connections, { view, index }: Slice, error: string): Promise<void> {
  const { rowCount } = await pool.query('update projection_checkpoints set error = $3 where view = $1 and slice = $2', [view.name, index, error]);
  if (rowCount === 0) await pool.query(`insert into projection_checkpoints (view, version, commit_position, prepare_position, error) values ($1, ${unbuilt}, 0, 0, $2) on conflict do nothing`, [view.name, error]);
}

function viewCheckpointOf(rows: readonly any[]): ViewCheckpoint {
  const slices = rows.map(checkpointOf);
  const inOrder = slices.map(({ position }) => position).sort(comparePositions);
  return { version: rows[0].version, parking: rows[0].parking, slices, position: inOrder[0]!, furthest: inOrder.at(-1)! };
}

function checkpointOf({ view, slice, commit, prepare, error, eventsPerSecond, events, updatedAt }: any): Checkpoint {
  return { view, slice, error: error ?? undefined, eventsPerSecond, events, updatedAt, position: { commit: BigInt(commit), prepare: BigInt(prepare) } };
}
