import type { PoolClient } from 'pg';
import type { RowDifference } from '../../api/core.js';
import { comparePositions, formatPosition, startOfLog, type StoredEvent } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import type { ViewCheckpoint } from './checkpoints.js';
import type { FoundDifference } from './compare.js';
import { failureOf } from './parking/take.js';
import { isIn } from './together.js';
import { inTransaction } from './transaction.js';
import type { World } from './world.js';

/** So many events are folded one by one; rows that need more are shown without an event. */
const mostEvents = 10_000;

const probeName = (table: string): string => `${table}__probe`;

/**
 * The first event of each row after which the replayed row is no longer like the live one: the log is replayed into
 * tables of this session, only with the events of these rows, and looked at after each of them. A row that was never
 * like the live one differs since its first event.
 */
export async function findCauses(view: View, world: World, client: PoolClient, rows: readonly FoundDifference[], live: ViewCheckpoint, signal: AbortSignal): Promise<Map<FoundDifference, RowDifference['event']>> {
  const causes = new Map<FoundDifference, RowDifference['event']>();
  if (rows.length === 0) return causes;
  await makeProbes(client, view);
  try {
    let left = mostEvents;
    for await (const event of eventsOf(view, world, live, signal)) {
      const touched = rows.filter((row) => touches(view, event, row));
      if (touched.length === 0) continue;
      if (left-- === 0) return new Map();
      await inTransaction(client, () => failureOf({ view, tx: { client, table: probeName } }, [event]));
      for (const row of touched) {
        if (await isLikeLive(client, row)) causes.delete(row);
        else if (!causes.has(row)) causes.set(row, placeOf(event));
      }
    }
    return causes;
  } finally {
    await client.query(`drop table if exists ${view.tables.map((table) => `"${probeName(table)}"`).join(', ')}`);
  }
}

async function makeProbes(client: PoolClient, { tables }: View): Promise<void> {
  for (const table of tables) await client.query(`create temp table "${probeName(table)}" (like "${table}" including all)`);
}

/** The events that are in the live rows, as far as they have come. */
async function* eventsOf(view: View, { eventStore }: World, live: ViewCheckpoint, signal: AbortSignal): AsyncGenerator<StoredEvent> {
  const { eventTypes } = view;
  const types = eventTypes === 'all' ? undefined : new Set(eventTypes);
  const filter = eventTypes === 'all' ? undefined : { eventTypePrefixes: eventTypes };
  for await (const event of eventStore.readLog({ from: startOfLog, filter, signal })) {
    if (comparePositions(event.position, live.furthest) > 0) return;
    if ((types?.has(event.type) ?? true) && isIn(view, live, event)) yield event;
  }
}

/** A view that cannot tell is asked to fold them all. */
function touches(view: View, event: StoredEvent, row: FoundDifference): boolean {
  if (!view.touches) return true;
  try {
    return view.touches(event, row);
  } catch {
    // An event that cannot be decoded has made no row.
    return false;
  }
}

async function isLikeLive(client: PoolClient, { table, key, columns, live }: FoundDifference): Promise<boolean> {
  const names = Object.keys(key);
  const { rows } = await client.query(
    `select array[${columns.map((name) => `"${name}"::text`).join(', ')}]::text[] as held from "${probeName(table)}" where ${names.map((name, index) => `"${name}" = $${index + 1}`).join(' and ')}`,
    Object.values(key),
  );
  const [row] = rows;
  if (!row || !live) return !row && !live;
  return live.every((value, index) => value === row.held[index]);
}

const placeOf = ({ id, type, stream, revision, position }: StoredEvent) => ({ id, type, stream, revision: `${revision}`, position: formatPosition(position) });
