import type { ClientBase } from 'pg';
import type { Position } from '../../platform/eventstore/port.js';
import { version as release } from '../../platform/version.js';
import type { View } from '../kit/view.js';
import { CheckpointMoved } from './failures.js';
import { formerName, renameTables, sameShape, shadowName, dropTables } from './shadow.js';
import { Shelf } from './parking/shelf.js';

/** Where a shadow comes from: a fold of the log, or the tables that the live ones have replaced. */
export type Source = 'log' | 'former';

/** What is written of a rebuild under way, in the transactions that change its tables. */
export interface BuildRecord {
  readonly build: string;
  readonly version: number;
  readonly release: string;
  readonly position: Position;
  /** The shadow holds everything up to the position, so it can be gone on with. */
  readonly filled: boolean;
  readonly source: Source;
}

const positionOf = ({ commit, prepare }: { commit: string; prepare: string }): Position => ({ commit: BigInt(commit), prepare: BigInt(prepare) });

export async function findRecord(client: ClientBase, { name }: View): Promise<BuildRecord | undefined> {
  const { rows } = await client.query(
    `select build, version, release, filled, former, commit_position::text as commit, prepare_position::text as prepare from projection_builds where view = $1`,
    [name],
  );
  const [row] = rows;
  return row && { build: row.build, version: row.version, release: row.release, filled: row.filled, source: row.former ? 'former' : 'log', position: positionOf(row) };
}

/** A filled shadow is as good as new when the same release made it in the same version, and no migration has changed the live table since. */
export async function canGoOn(client: ClientBase, view: View, record: BuildRecord | undefined, source: Source): Promise<boolean> {
  if (!record?.filled || record.source !== source || record.version !== view.version || record.release !== release) return false;
  return sameShape(client, view.tables, shadowName);
}

export async function beginRecord(client: ClientBase, view: View, build: string): Promise<void> {
  await client.query('insert into projection_builds (view, build, version, release) values ($1, $2, $3, $4)', [view.name, build, view.version, release]);
}

/** The same compare-and-set as for live views, should another process believe that it has this rebuild. */
export async function moveRecord(client: ClientBase, view: View, build: string, from: Position, to: Position): Promise<void> {
  const { rowCount } = await client.query(
    `update projection_builds set filled = true, commit_position = $5, prepare_position = $6
     where view = $1 and build = $2 and commit_position = $3 and prepare_position = $4`,
    [view.name, build, `${from.commit}`, `${from.prepare}`, `${to.commit}`, `${to.prepare}`],
  );
  if (rowCount !== 1) throw new CheckpointMoved();
}

export async function endRecord(client: ClientBase, view: View, build: string): Promise<void> {
  const { rowCount } = await client.query('delete from projection_builds where view = $1 and build = $2', [view.name, build]);
  if (rowCount !== 1) throw new CheckpointMoved();
}

/** The rows that the live ones have replaced, and where they stood. */
export interface Former {
  readonly version: number;
  readonly position: Position;
}

export async function findFormer(client: ClientBase, { name }: View): Promise<Former | undefined> {
  const { rows } = await client.query('select version, commit_position::text as commit, prepare_position::text as prepare from projection_formers where view = $1', [name]);
  return rows[0] && { version: rows[0].version, position: positionOf(rows[0]) };
}

/** Keeps the tables that were replaced in this transaction, in the place of those that were kept until now. */
export async function keepFormer(client: ClientBase, view: View, { version, position: { commit, prepare } }: Former): Promise<void> {
  await client.query(
    `insert into projection_formers (view, version, commit_position, prepare_position) values ($1, $2, $3, $4)
     on conflict (view) do update set version = excluded.version, commit_position = excluded.commit_position, prepare_position = excluded.prepare_position, replaced_at = clock_timestamp()`,
    [view.name, version, `${commit}`, `${prepare}`],
  );
}

/** Removes the kept tables for good. */
export async function dropFormer(client: ClientBase, view: View): Promise<void> {
  await dropTables(client, view.tables, formerName);
  await new Shelf(view, 'former').clear(client);
  await client.query('delete from projection_formers where view = $1', [view.name]);
}

/** Makes the kept tables the shadow of a rebuild that only has to follow the log from where they stood. */
export async function takeUpFormer(client: ClientBase, view: View, build: string): Promise<Position> {
  const { position } = (await findFormer(client, view))!;
  await renameTables(client, view.tables, formerName, shadowName);
  await new Shelf(view, 'former').moveTo(client, new Shelf(view, 'shadow'));
  await client.query(
    'insert into projection_builds (view, build, version, release, filled, former, commit_position, prepare_position) values ($1, $2, $3, $4, true, true, $5, $6)',
    [view.name, build, view.version, release, `${position.commit}`, `${position.prepare}`],
  );
  return position;
}

/** The other way round: they are kept as before, and hold what was followed meanwhile. */
export async function giveBackFormer(client: ClientBase, view: View, { position: { commit, prepare } }: BuildRecord): Promise<void> {
  await renameTables(client, view.tables, shadowName, formerName);
  await new Shelf(view, 'shadow').moveTo(client, new Shelf(view, 'former'));
  await client.query('update projection_formers set commit_position = $2, prepare_position = $3 where view = $1', [view.name, `${commit}`, `${prepare}`]);
}
