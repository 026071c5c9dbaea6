import type { Listed } from '../chunks/index-of-chunks.js';
import type { HistoryEvent } from './events.js';
import { PointInTimeJoin } from './join.js';
import { streamOf, type Partition, type Replay } from './replay.js';
import { momentsAt } from './slots.js';
import { tell, type Told } from './tell.js';
import type { Position } from '../../../platform/eventstore/port.js';

/** A read model's answer to: which events of a stream delete these entities, or may hold rows of them at or before a moment? */
export type ListChunks = (stream: string, keys: readonly string[], untilUs: number, most: number) => Promise<Listed>;

/** What is sought in one partition: the latest row of each entity that is not after a moment. */
export interface Sought {
  readonly keys: readonly string[];
  readonly atUs: number;
  readonly told: Told;
  /** Deletions count up to here, whatever was known. */
  readonly end: Position;
}

/** More entities of one partition than this are found faster by one replay. */
const mostKeys = 256;
/** More events than this cost more, one by one, than a replay; so does a tail that the read model has not reached. */
const mostEvents = 64;
/** The latest events mostly hold what is sought, so few are read at first, and more at once the further back it lies. */
const mostAtOnce = 8;

/**
 * The events of a partition that decide what is sought, in the order of the log; undefined when a replay is the better way.
 * The values come from the events: the list only says which, and what it does not reach yet is read as well.
 */
export async function chosenEvents(replay: Replay, list: ListChunks, partition: Partition, sought: Sought, signal?: AbortSignal): Promise<HistoryEvent[] | undefined> {
  if (sought.keys.length > mostKeys) return undefined;
  const { chunks, next } = await list(streamOf(partition), sought.keys, sought.atUs, mostEvents + 1);
  const read = (from: number, count: number) => Promise.all(chunks.slice(from, from + count).map(({ revision }) => replay.at(partition, revision, signal)));
  // The newest listed event is mostly needed, and what is not listed is mostly nothing: neither waits for the other.
  const [tail, newest] = await Promise.all([unlisted(replay.from(partition, next, sought.end, signal)), read(0, 1)]);
  if (tail === undefined) return undefined;
  const events = [...tail, ...newest.filter((event) => event !== undefined)];
  for (let at = 1, atOnce = 1; at < chunks.length; at += atOnce, atOnce = Math.min(2 * atOnce, mostAtOnce)) {
    // A chunk whose latest time equals what is found may hold the later write of a tie.
    if (oldestFound(events, sought) > chunks[at]!.toUs) break;
    if (at >= mostEvents) return undefined;
    events.push(...(await read(at, atOnce)).filter((event) => event !== undefined));
  }
  return events.sort((a, b) => (a.revision < b.revision ? -1 : 1));
}

/** The events that the read model has not reached yet; undefined when they are too many. */
async function unlisted(rest: AsyncIterable<HistoryEvent>): Promise<HistoryEvent[] | undefined> {
  const events: HistoryEvent[] = [];
  for await (const event of rest) if (events.push(event) > mostEvents) return undefined;
  return events;
}

/** The oldest of the times found for the entities; -Infinity while one has not been found. */
function oldestFound(events: readonly HistoryEvent[], { keys, atUs, told }: Sought): number {
  const join = new PointInTimeJoin(momentsAt(keys, new Float64Array(keys.length).fill(atUs)), { features: [], ttlUs: 0, knownAtRowTime: told.known.rowTime });
  for (const event of events.toSorted((a, b) => (a.revision < b.revision ? -1 : 1))) tell(join, event, told);
  join.finish();
  return Math.min(...keys.map((_, row) => join.eventTimeUs(row) ?? -Infinity));
}
