import type { ClientBase } from 'pg';
import type { View } from '../../kit/view.js';
import { ParkedKeys, withoutNul, type HeldEvent } from './keys.js';

/** Whose parked keys: of the rows that answer, of those that a rebuild makes beside them, or of those that were replaced. */
export type ShelfKind = 'live' | 'shadow' | 'former';

/** The parked keys of a view and the events that wait under them; a rebuild has a shelf of its own beside the live one. */
export class Shelf {
  /** What stands in the rows of its keys and events. */
  readonly name: string;
  readonly shadow: boolean;

  constructor(view: Pick<View, 'name'>, kind: ShelfKind = 'live') {
    // No view is called like that, so nobody takes up what waits there.
    this.name = kind === 'former' ? `${view.name}__former` : view.name;
    this.shadow = kind !== 'live';
  }

  async keys(client: ClientBase): Promise<ParkedKeys> {
    const { rows } = await client.query(
      'select key, since_commit::text as commit, since_prepare::text as prepare from projection_parked_keys where view = $1 and shadow = $2',
      [this.name, this.shadow],
    );
    const parked = new ParkedKeys();
    for (const { key, commit, prepare } of rows) parked.add(key, { commit: BigInt(commit), prepare: BigInt(prepare) });
    return parked;
  }

  /** Parks a key with the event that cannot be taken. */
  async park(client: ClientBase, held: HeldEvent, error: string, attempts: number): Promise<void> {
    await this.hold(client, [held]);
    await this.fail(client, held.key, error, attempts);
  }

  /** Notes why the first event of a key cannot be taken. */
  async fail(client: ClientBase, key: string, error: string, attempts: number): Promise<void> {
    await client.query('update projection_parked_keys set error = $4, attempts = $5 where view = $1 and shadow = $2 and key = $3', [
      this.name, this.shadow, key, withoutNul(error), attempts,
    ]);
  }

  /** Puts events behind those that wait already. A key that was free until now waits without having failed. */
  async hold(client: ClientBase, held: readonly HeldEvent[]): Promise<void> {
    if (held.length === 0) return;
    await this.mark(client, held);
    await client.query({ ...holdEvents, values: [this.name, this.shadow, ...columnsOf(held)] });
  }

  /** Makes keys wait for events that another slice has to park. */
  async mark(client: ClientBase, awaited: readonly HeldEvent[]): Promise<void> {
    if (awaited.length === 0) return;
    const [keys, , , , , commits, prepares] = columnsOf(awaited);
    await client.query({ ...holdKeys, values: [this.name, this.shadow, keys, commits, prepares] });
  }

  /** Removes everything from this shelf. */
  async clear(client: ClientBase): Promise<void> {
    for (const table of tables) await client.query(`delete from ${table} where view = $1 and shadow = $2`, [this.name, this.shadow]);
  }

  /** Puts everything from here on another shelf, whatever lies there. */
  async moveTo(client: ClientBase, other: Shelf): Promise<void> {
    await other.clear(client);
    for (const table of tables) await client.query(`update ${table} set view = $3, shadow = $4 where view = $1 and shadow = $2`, [this.name, this.shadow, other.name, other.shadow]);
  }
}

const tables = ['projection_parked_keys', 'projection_parked_events'];

const holdKeys = {
  name: 'hold keys',
  text: `insert into projection_parked_keys (view, shadow, key, since_commit, since_prepare)
    select distinct on (key) $1::text, $2::boolean, * from unnest($3::text[], $4::numeric[], $5::numeric[]) as held(key, commit, prepare)
    order by key, commit, prepare on conflict do nothing`,
};
const holdEvents = {
  name: 'hold events',
  text: `insert into projection_parked_events (view, shadow, key, stream, revision, event_id, event_type, commit_position, prepare_position)
    select $1::text, $2::boolean, * from unnest($3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::text[], $8::numeric[], $9::numeric[])`,
};

function columnsOf(held: readonly HeldEvent[]): unknown[][] {
  const column = (value: (event: HeldEvent['event']) => unknown) => held.map(({ event }) => value(event));
  return [
    held.map(({ key }) => key),
    column(({ stream }) => stream),
    column(({ revision }) => `${revision}`),
    column(({ id }) => id),
    column(({ type }) => withoutNul(type)),
    column(({ position }) => `${position.commit}`),
    column(({ position }) => `${position.prepare}`),
  ];
}
