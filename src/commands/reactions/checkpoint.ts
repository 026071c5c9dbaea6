import type { ClientBase } from 'pg';
import { startOfLog, type Position } from '../../platform/eventstore/port.js';

const read = `select commit_position::text as commit, prepare_position::text as prepare from reaction_checkpoints where reaction = $1`;
const begin = `insert into reaction_checkpoints (reaction, commit_position, prepare_position) values ($1, 0, 0) on conflict do nothing`;
const move = `
  update reaction_checkpoints set commit_position = $4, prepare_position = $5, error = null, updated_at = clock_timestamp()
  where reaction = $1 and commit_position = $2 and prepare_position = $3`;
const note = `update reaction_checkpoints set error = $2, updated_at = clock_timestamp() where reaction = $1`;

/** Up to where a reaction has issued its commands; a new one starts at the log's beginning and passes over what is too old for it. */
export async function readPlace(client: ClientBase, reaction: string): Promise<Position> {
  await client.query(begin, [reaction]);
  const { rows } = await client.query(read, [reaction]);
  return rows[0] ? { commit: BigInt(rows[0].commit), prepare: BigInt(rows[0].prepare) } : startOfLog;
}

/** The compare-and-set: false when the reaction is no longer where this process left it. */
export async function movePlace(client: ClientBase, reaction: string, from: Position, to: Position): Promise<boolean> {
  const { rowCount } = await client.query(move, [reaction, `${from.commit}`, `${from.prepare}`, `${to.commit}`, `${to.prepare}`]);
  return rowCount === 1;
}

/** Lets operators see why a reaction stands still. */
export async function noteFailure(client: ClientBase, reaction: string, error: string): Promise<void> {
  await client.query(note, [reaction, error]);
}
