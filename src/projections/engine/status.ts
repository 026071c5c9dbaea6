import type { ViewStatus } from '../../api/core.js';
import { formatPosition, startOfLog, type EventStore, type Position } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import { readCheckpoints, type Checkpoint, type ViewCheckpoint } from './checkpoints.js';
import { buildLock, latestOf, lockName, readLocks, sliceLock, type Locks } from './locks.js';
import { readComparisons } from './operations/comparisons.js';
import { sliceName } from './slices.js';
import type { World } from './world.js';

/** A view further behind than this is said to be catching up. */
const liveLag_ms = 5000;
const rateIsKnownFor_ms = 60_000;

/** How all views are, from what is committed: the same answer in every process, but that an owner knows what is not written yet. */
export async function readStatus(views: readonly View[], world: World): Promise<ViewStatus[]> {
  const { pool, eventStore, reached, parked } = world;
  const [checkpoints, { rows: builds }, end, parkedKeys, locks, compared] = await Promise.all([
    readCheckpoints(pool),
    pool.query<{ view: string }>('select view from projection_builds'),
    eventStore.endOfLog(),
    parked.read(),
    readLocks(pool),
    readComparisons(pool),
  ]);
  reached.replace(checkpoints);
  const building = new Set(builds.map(({ view }) => view));
  const lagAt = lagReader(eventStore);
  return Promise.all(
    views.map(async (view) => {
      const checkpoint = checkpoints.get(view.name);
      const position = reached.of(view.name);
      const lag_ms = await lagAt(position);
      const behind = end.commit - position.commit;
      const failure = checkpoint?.slices.find((slice) => slice.error !== undefined)?.error;
      return {
        name: view.name,
        version: checkpoint?.version ?? view.version,
        state: stateOf(building.has(view.name), failure, lag_ms),
        error: failure ?? (checkpoint?.version === view.version ? undefined : leftToNewer(view, locks)),
        position: formatPosition(position),
        lagPositions: `${lag_ms === 0 || behind < 0n ? 0n : behind}`,
        lagMs: lag_ms,
        parkedKeys: parkedKeys.get(view.name) ?? 0,
        eventsPerSecond: rateOf(view, checkpoint, world),
        eventsHandled: checkpoint?.slices.reduce((sum, { events }) => sum + events, 0) ?? 0,
        ...compared.get(view.name),
        slices: await Promise.all(slicesOf(view, checkpoint, world).map(async ({ slice, at }) => ({ slice, position: formatPosition(at), lagMs: await lagAt(at), owner: ownerOf(view, slice, locks) }))),
      };
    }),
  );
}

function slicesOf({ name }: View, checkpoint: ViewCheckpoint | undefined, { reached }: World): { slice: number; at: Position }[] {
  const slices = checkpoint?.slices ?? [{ slice: 0, position: startOfLog }];
  return slices.map(({ slice, position }) => ({ slice, at: reached.ofOwn(name, slice) ?? position }));
}

/** Who builds the view, where nobody keeps the slice. */
const ownerOf = ({ name }: View, slice: number, { owners }: Locks): string | undefined => owners.get(lockName(sliceLock(name, slice))) ?? owners.get(lockName(buildLock(name)));

function rateOf(view: View, checkpoint: ViewCheckpoint | undefined, { reached, rates }: World): number {
  const { slices = [] } = checkpoint ?? {};
  return slices.reduce((sum, slice) => {
    const isOwn = reached.ofOwn(view.name, slice.slice) !== undefined;
    return sum + (isOwn ? rates.perSecond(sliceName({ view, index: slice.slice, of: slices.length })) : committedRate(slice));
  }, 0);
}

function committedRate({ updatedAt, eventsPerSecond }: Checkpoint): number {
  return Date.now() - updatedAt.getTime() < rateIsKnownFor_ms ? eventsPerSecond : 0;
}

/** Why this release leaves a view alone, where a newer one has it in a later version. */
function leftToNewer({ name, version }: View, locks: Locks): string | undefined {
  const latest = latestOf(locks, name);
  return latest > version ? `A newer release keeps it in version ${latest}; this one, which has version ${version}, leaves it alone` : undefined;
}

function stateOf(isBuilding: boolean, error: string | undefined, lag_ms: number): ViewStatus['state'] {
  if (isBuilding) return 'rebuilding';
  if (error !== undefined) return 'failing';
  return lag_ms > liveLag_ms ? 'catching-up' : 'live';
}

/** The age of the first event behind a position; views at the same place share the read. */
function lagReader(eventStore: EventStore): (position: Position) => Promise<number> {
  const lags = new Map<string, Promise<number>>();
  const read = async (from: Position): Promise<number> => {
    for await (const { recordedAt } of eventStore.readLog({ from, limit: 1 })) return Math.max(1, Date.now() - recordedAt.getTime());
    return 0;
  };
  return (position) => {
    const place = formatPosition(position);
    const lag = lags.get(place) ?? read(position);
    lags.set(place, lag);
    return lag;
  };
}
