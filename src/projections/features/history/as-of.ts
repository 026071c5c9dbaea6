import { partitionOf } from '../../../domain/features/keys.js';
import type { FeatureValue } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import type { Position } from '../../../platform/eventstore/port.js';
import type { AnsweredFeature, OnlineAnswer, OnlineRequest } from '../online/read.js';
import { shownColumns, type WindowValues } from '../transformations/shown.js';
import { windowReaders, windowValues } from '../windows/history.js';
import { deletedStatus, statusOf } from '../online/status.js';
import { chosenEvents, type ListChunks, type Sought } from './chosen-events.js';
import { PointInTimeJoin } from './join.js';
import type { KnownAt } from './known.js';
import { momentsOf, type RequestTable } from './request-table.js';
import { pinned } from './pinned.js';
import { reading } from './reading.js';
import type { Partition, Replay } from './replay.js';
import { planOf, type Plan, type PlannedJoin } from './selection.js';
import type { Moments } from './slots.js';
import { tell, type ToldEvent } from './tell.js';
import type { PinnedAt } from './training-set.js';

/** An online read of a past moment. */
export interface AsOfRequest extends OnlineRequest {
  readonly atUs: number;
  readonly known: KnownAt;
}

/** What an online read would have answered, and up to where the log was looked at. */
export interface AsOfAnswer extends OnlineAnswer {
  readonly known: KnownAt & { readonly position: Position };
}

/** The most entities of one request. */
const mostEntities = 10_000;

/**
 * The values of entities at a past moment, from the events that hold them; where a read model lists those events, only
 * they are read. Every row written counts, for whichever reads it was written: the latest event time that is not after
 * the moment. Ages are as of the moment.
 */
export async function readAsOf(replay: Replay, request: AsOfRequest, signal?: AbortSignal, listChunks?: ListChunks): Promise<AsOfAnswer> {
  if (request.entities > mostEntities) throw new Refusal('INVALID_ARGUMENT', `A read takes at most ${mostEntities} entities; a training set takes more`, { reason: 'TOO_MANY_ENTITIES' });
  const { known, end, selection, definitions, transformations } = await pinned(replay.eventStore, { ...request, aliases: [] }, signal);
  const plan = planOf(selection, definitions, [], transformations);
  const { joins, windows } = await replayed({ replay, listChunks, signal }, plan, request, { known, end });
  const groups = joins.map((join, at) => ({
    group: plan.joins[at]!.name,
    timeUs: Float64Array.from({ length: request.entities }, (_, entity) => join.eventTimeUs(entity) ?? 0),
  }));
  const features = plan.columns.map(({ name, type, join, feature }): AnsweredFeature => {
    const { ttlSeconds } = plan.joins[join]!.definition;
    const oldestUs = ttlSeconds === 0 ? -Infinity : request.atUs - ttlSeconds * 1_000_000;
    return { name, group: plan.joins[join]!.name, type, ...answered(joins[join]!, feature, request.entities, oldestUs) };
  });
  const { derived } = plan;
  return { entities: request.entities, groups, features: derived ? shownColumns(derived, request.entities, features, windows) : features, known };
}

interface Sources {
  readonly replay: Replay;
  readonly listChunks?: ListChunks;
  readonly signal?: AbortSignal;
}

async function replayed({ replay, listChunks, signal }: Sources, plan: Plan, { entities, keys, atUs }: AsOfRequest, { known, end }: PinnedAt): Promise<{ joins: PointInTimeJoin[]; windows: WindowValues }> {
  const table: RequestTable = { rows: entities, timeUs: new Float64Array(entities).fill(atUs), columns: keys };
  const joins = plan.joins.map((planned) => {
    const moments = momentsOf(table, planned);
    // A value past its TTL is still given, with its status; so the join itself knows no TTL.
    return { planned, moments, join: new PointInTimeJoin(moments, { features: planned.features, ttlUs: 0, knownAtRowTime: known.rowTime }) };
  });
  const overWindows = windowReaders(plan, joins, known);
  const { partitions, readersOf } = reading<(typeof joins | typeof overWindows)[number]>([...joins, ...overWindows]);
  const told = ({ definition: { version } }: PlannedJoin) => ({ version, known, onlineToo: true });
  const take = (event: ToldEvent, partition: Partition) => {
    for (const { join, planned } of readersOf(partition)) tell(join, event, told(planned));
  };
  const sought = partitions.map((partition): Sought => {
    const readers = readersOf(partition);
    const durations = readers.flatMap((reader) => ('longestUs' in reader ? [reader.longestUs] : []));
    return { partition, keys: keysOfPartition(readers, partition), told: readers.map(({ planned }) => told(planned)), ...(durations.length > 0 && { sinceUs: atUs - Math.max(...durations) }) };
  });
  const chosen = listChunks ? await chosenEvents(replay, listChunks, sought, { atUs, end, signal }) : [];
  sought.forEach(({ partition }, at) => chosen[at]?.forEach((event) => take(event, partition)));
  await replay.run(partitions.filter((_, at) => chosen[at] === undefined), end, take, signal);
  for (const { join } of joins) join.finish();
  return { joins: joins.map(({ join }) => join), windows: windowValues(overWindows) };
}

/** The entities that several want of one partition; the versions of a group have the same number of partitions. */
function keysOfPartition(readers: readonly { readonly planned: PlannedJoin; readonly moments: Moments }[], { partition }: Partition): string[] {
  const { partitions } = readers[0]!.planned.definition;
  return [...new Set(readers.flatMap(({ moments }) => moments.keys.filter((key) => partitionOf(key, partitions) === partition)))];
}

function answered(join: PointInTimeJoin, feature: number, entities: number, oldestUs: number): Pick<AnsweredFeature, 'values' | 'statuses'> {
  const values = new Array<FeatureValue | null>(entities);
  const statuses = new Uint8Array(entities);
  for (let entity = 0; entity < entities; entity++) {
    const timeUs = join.eventTimeUs(entity);
    values[entity] = join.value(feature, entity);
    statuses[entity] = join.deleted(entity) ? deletedStatus : statusOf(timeUs, values[entity], oldestUs);
  }
  return { values, statuses };
}
