import type { Listed, ListedChunks, StreamKeys } from '../chunks/index-of-chunks.js';
import { comparePositions, type Position } from '../../../platform/eventstore/port.js';
import type { HistoryEvent } from './events.js';
import { PointInTimeJoin } from './join.js';
import { streamOf, type Partition, type Replay } from './replay.js';
import { momentsAt } from './slots.js';
import { tell, type Told, type ToldEvent } from './tell.js';
import { WantedRows } from './wanted-rows.js';

/** A read model's answer to: which events of these streams delete their entities, or may hold rows of them at or before a moment? */
export type ListChunks = (wanted: readonly StreamKeys[], untilUs: number, most: number) => Promise<ListedChunks>;

/** What is sought in one partition: the latest row of each entity that is not after a moment, and all that windows reach back to. */
export interface Sought {
  readonly partition: Partition;
  readonly keys: readonly string[];
  /** By whom it is sought: each wants rows of its own. */
  readonly told: readonly Told[];
  /** All rows after this moment are wanted, not only the latest. */
  readonly sinceUs?: number;
}

/** What holds for all that is sought. */
export interface SoughtAt {
  readonly atUs: number;
  /** Deletions count up to here, whatever was known. */
  readonly end: Position;
  readonly signal?: AbortSignal;
}

/** An event of a partition, with only the rows that may be wanted. */
export type ChosenEvent = ToldEvent & Pick<HistoryEvent, 'revision'>;

/** More entities of one partition than this are found faster by one replay. */
const mostKeys = 256;
/** More events than this cost more, one by one, than a replay; so does a tail that the read model has not reached. */
const mostEvents = 64;
/** The latest events mostly hold what is sought, so few are read at first, and more at once the further back it lies. */
const mostAtOnce = 8;

/**
 * For each partition the events that decide what is sought, in the order of the log; undefined where a replay is the better
 * way. The values come from the events: the list only says which, and what it does not reach yet is read as well.
 */
export async function chosenEvents(replay: Replay, list: ListChunks, sought: readonly Sought[], at: SoughtAt): Promise<(readonly ChosenEvent[] | undefined)[]> {
  const few = sought.filter(({ keys }) => keys.length <= mostKeys);
  if (few.length === 0) return sought.map(() => undefined);
  const { streams, reached } = await list(few.map(({ partition, keys }) => ({ stream: streamOf(partition), keys })), at.atUs, mostEvents + 1);
  const isWhole = comparePositions(reached, at.end) >= 0;
  return Promise.all(sought.map((one) => (few.includes(one) ? eventsOf(replay, one, { ...streams[few.indexOf(one)]!, isWhole }, at) : undefined)));
}

async function eventsOf(replay: Replay, sought: Sought, { chunks, next, isWhole }: Listed & { readonly isWhole: boolean }, at: SoughtAt): Promise<readonly ChosenEvent[] | undefined> {
  const { partition, keys, sinceUs = Infinity } = sought;
  const wanted = new WantedRows(keys, { atUs: at.atUs, sinceUs: sought.sinceUs });
  const chosen = (event: HistoryEvent): ChosenEvent => ('deleted' in event ? event : { ...event, block: wanted.of(event.block) });
  const read = async (from: number, count: number) => {
    const events = await Promise.all(chunks.slice(from, from + count).map(({ revision }) => replay.at(partition, revision, at.signal)));
    return events.filter((event) => event !== undefined).map(chosen);
  };
  // The newest listed event is mostly needed, and what is not listed is mostly nothing: neither waits for the other.
  const certain = Math.max(1, chunks.filter(({ toUs }) => toUs > sinceUs).length);
  if (certain > mostEvents) return undefined;
  const [tail, newest] = await Promise.all([isWhole ? [] : unlisted(replay.from(partition, next, at.end, at.signal)), read(0, certain)]);
  if (tail === undefined) return undefined;
  const events = [...tail.map(chosen), ...newest];
  for (let place = certain, atOnce = 1; place < chunks.length; place += atOnce, atOnce = Math.min(2 * atOnce, mostAtOnce)) {
    // A chunk whose latest time equals what is found may hold the later write of a tie.
    if (oldestFound(inOrder(events), sought, at) > chunks[place]!.toUs) break;
    if (place >= mostEvents) return undefined;
    events.push(...(await read(place, atOnce)));
  }
  return inOrder(events);
}

const inOrder = (events: readonly ChosenEvent[]): ChosenEvent[] => events.toSorted((a, b) => (a.revision < b.revision ? -1 : 1));

/** The events that the read model has not reached yet; undefined when they are too many. */
async function unlisted(rest: AsyncIterable<HistoryEvent>): Promise<HistoryEvent[] | undefined> {
  const events: HistoryEvent[] = [];
  for await (const event of rest) if (events.push(event) > mostEvents) return undefined;
  return events;
}

/** The oldest of the times found for the entities; -Infinity while one has not been found. */
function oldestFound(events: readonly ChosenEvent[], { keys, told }: Sought, { atUs }: SoughtAt): number {
  const moments = momentsAt(keys, new Float64Array(keys.length).fill(atUs));
  const oldest = told.map((one) => {
    const join = new PointInTimeJoin(moments, { features: [], ttlUs: 0, knownAtRowTime: one.known.rowTime });
    for (const event of events) tell(join, event, one);
    join.finish();
    return Math.min(...keys.map((_, row) => join.eventTimeUs(row) ?? -Infinity));
  });
  return Math.min(...oldest);
}
