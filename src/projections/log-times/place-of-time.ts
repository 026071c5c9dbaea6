import type { Pool } from 'pg';
import { comparePositions, startOfLog, type EventStore, type Position } from '../../platform/eventstore/port.js';

const lastKept = `
  select commit_position::text as commit, prepare_position::text as prepare from log_times
  where recorded_at <= $1 order by recorded_at desc, commit_position desc, prepare_position desc limit 1`;
const nextKept = `
  select commit_position::text as commit, prepare_position::text as prepare from log_times
  where (commit_position, prepare_position) > ($1, $2) and recorded_at > $3 order by commit_position, prepare_position limit 1`;

/**
 * The place of the last event that had been recorded by a time, or the start of the log. Reads the log from one kept
 * place to the next: a few hundred events, wherever the time lies.
 */
export async function placeOfTime(pool: Pool, eventStore: EventStore, time: Date, signal?: AbortSignal): Promise<Position> {
  const from = (await keptPlace(pool, lastKept, [time])) ?? startOfLog;
  const until = await keptPlace(pool, nextKept, [from.commit, from.prepare, time]);
  let found = from;
  for await (const { position, recordedAt } of eventStore.readLog({ from, signal })) {
    if (until && comparePositions(position, until) >= 0) break;
    // No event behind one of another time ends the search: a log that was moved here may stand behind newer events.
    if (recordedAt <= time) found = position;
  }
  return found;
}

const firstKeptSince = `
  select commit_position::text as commit, prepare_position::text as prepare from log_times
  where recorded_at >= $1 order by commit_position, prepare_position limit 1`;
const lastKeptBefore = `
  select commit_position::text as commit, prepare_position::text as prepare from log_times
  where $1::bigint is null or (commit_position, prepare_position) < ($1, $2) order by commit_position desc, prepare_position desc limit 1`;

/** A place in the log before which no event was recorded at a time or later, to read from there on. */
export async function placeBefore(pool: Pool, time: Date): Promise<Position> {
  const since = await keptPlace(pool, firstKeptSince, [time]);
  return (await keptPlace(pool, lastKeptBefore, [since?.commit, since?.prepare])) ?? startOfLog;
}

const nextKeptAfterLast = `
  select commit_position::text as commit, prepare_position::text as prepare from log_times
  where (commit_position, prepare_position) > (
    select commit_position, prepare_position from log_times where recorded_at <= $1
    union all select 0, 0 order by 1 desc, 2 desc limit 1)
  order by commit_position, prepare_position limit 1`;

/** A place in the log from which on every event was recorded after a time; behind the end of the log when there is none yet. */
export async function placeAfter(pool: Pool, time: Date): Promise<Position> {
  return (await keptPlace(pool, nextKeptAfterLast, [time])) ?? endOfAll;
}

/** Behind every event that there can be. */
const endOfAll: Position = { commit: 2n ** 64n - 1n, prepare: 2n ** 64n - 1n };

async function keptPlace(pool: Pool, text: string, values: readonly unknown[]): Promise<Position | undefined> {
  const { rows } = await pool.query(text, values.map((value) => (typeof value === 'bigint' ? `${value}` : value)));
  return rows[0] && { commit: BigInt(rows[0].commit), prepare: BigInt(rows[0].prepare) };
}
