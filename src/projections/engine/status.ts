import type { ViewStatus } from '../../api/core.js';
import { formatPosition, startOfLog, type EventStore, type Position } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import { readCheckpoints, type Checkpoint } from './checkpoints.js';
import type { World } from './world.js';

/** A view further behind than this is said to be catching up. */
const liveLag_ms = 5000;
const rateIsKnownFor_ms = 60_000;

/** How all views are, from what is committed: the same answer in every process, but that only the owner knows what is not written yet. */
export async function readStatus(views: readonly View[], { pool, eventStore, reached, rates, parked }: World, isOwner: boolean): Promise<ViewStatus[]> {
  const [checkpoints, { rows: builds }, end, parkedKeys] = await Promise.all([
    readCheckpoints(pool),
    pool.query<{ view: string }>('select view from projection_builds'),
    eventStore.endOfLog(),
    parked.read(),
  ]);
  const building = new Set(builds.map(({ view }) => view));
  const lagAt = lagReader(eventStore);
  return Promise.all(
    views.map(async (view) => {
      const checkpoint = checkpoints.get(view.name);
      const position = isOwner ? reached.of(view.name) : (checkpoint?.position ?? startOfLog);
      const lag_ms = await lagAt(position);
      const behind = end.commit - position.commit;
      return {
        name: view.name,
        version: checkpoint?.version ?? view.version,
        state: stateOf(building.has(view.name), checkpoint?.error, lag_ms),
        error: checkpoint?.error,
        position: formatPosition(position),
        lagPositions: `${lag_ms === 0 || behind < 0n ? 0n : behind}`,
        lagMs: lag_ms,
        parkedKeys: parkedKeys.get(view.name) ?? 0,
        eventsPerSecond: isOwner ? rates.perSecond(view.name) : rateOf(checkpoint),
      };
    }),
  );
}

function rateOf(checkpoint: Checkpoint | undefined): number {
  return checkpoint && Date.now() - checkpoint.updatedAt.getTime() < rateIsKnownFor_ms ? checkpoint.eventsPerSecond : 0;
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
