import type { PoolClient } from 'pg';
import type { ViewComparison } from '../../api/core.js';
import { Refusal } from '../../domain/kit/index.js';
import { comparePositions, formatPosition, startOfLog, type Position } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import { compareWithShadow, type FoundDifference } from './compare.js';
import { isInOrHolds } from './together.js';
import { findCauses } from './compare-causes.js';
import { readCheckpoints, type ViewCheckpoint } from './checkpoints.js';
import { pause } from './pause.js';
import type { Course } from './rebuild-course.js';
import type { Shadow } from './rebuild-shadow.js';
import type { World } from './world.js';

/** A live view that has not moved for so long is not waited for any longer. */
const standstill_ms = 30_000;

/** How many rows a rebuild would add, remove or change. */
export const rowsThatDiffer = ({ tables }: ViewComparison): number => tables.reduce((sum, { added, removed, changed }) => sum + added + removed + changed, 0);

/** How the live rows differ from those of the shadow where both hold the log up to the same place, and which events were the first to make them differ. */
export async function compareAtOnePosition(view: View, world: World, client: PoolClient, course: Course, shadow: Shadow): Promise<ViewComparison> {
  await course.whilePaused();
  course.enter('comparing');
  let seen: Position = startOfLog;
  for (let since = performance.now(); ; ) {
    const { live, found } = await tryCompare(view, client, shadow);
    if (found) return comparisonOf(view, found, live!, await findCauses(view, world, client, found.flatMap(({ rows }) => rows), live!, course.signal));
    if (live && comparePositions(live.position, seen) !== 0) [seen, since] = [live.position, performance.now()];
    if (performance.now() - since > standstill_ms) throw standsStill(view, live?.position);
    await pause(100, course.signal);
    course.signal.throwIfAborted();
  }
}

/**
 * One snapshot has the live rows and their checkpoint, so nobody need stand still; the shadow is taken back to where it
 * was, because slices may stand at different places. Nothing is found while the live view is behind the shadow.
 */
async function tryCompare(view: View, client: PoolClient, shadow: Shadow) {
  return shadow.andBack(async () => {
    await client.query('set transaction isolation level repeatable read');
    const live = (await readCheckpoints(client)).get(view.name);
    if (!live || comparePositions(live.position, shadow.position) < 0) return { live };
    await shadow.leaveOutSkipped();
    await shadow.projectUpTo(live.furthest, (event) => isInOrHolds(view, live, event));
    const found = [];
    for (const table of view.tables) found.push(await compareWithShadow(client, table, view.shows));
    return { live, found };
  });
}

type Found = Awaited<ReturnType<typeof compareWithShadow>>;

function comparisonOf({ name }: View, found: readonly Found[], { position }: ViewCheckpoint, events: ReadonlyMap<FoundDifference, ViewComparison['rows'][number]['event']>): ViewComparison {
  const tables = found.map(({ table }) => table);
  const rows = found.flatMap((each) => each.rows).map((row) => ({ ...row.shown, event: events.get(row) }));
  return { view: name, position: formatPosition(position), same: tables.every(({ added, removed, changed }) => added + removed + changed === 0), tables, rows };
}

const standsStill = ({ name }: View, position: Position | undefined) =>
  new Refusal('UNAVAILABLE', `View ${name} stands still${position ? ` at position ${formatPosition(position)}` : ''}, so it cannot be compared with what the log gives at its end`, { reason: 'VIEW_BEHIND' });
