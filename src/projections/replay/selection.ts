import { comparePositions, startOfLog, type EventStore, type LogFilter, type Position, type StoredEvent } from '../../platform/eventstore/port.js';

/** Which events of the log a replay tells. */
export interface ReplaySelection {
  /** The place or the time to begin at: after a position, at a time. */
  readonly from?: Position | Date;
  /** The last position or time. */
  readonly to?: Position | Date;
  /** Event types and stream names; one that ends in `*` stands for all that begin so. */
  readonly types: readonly string[];
  readonly streams: readonly string[];
  readonly project?: string;
  readonly actor?: string;
  readonly correlationId?: string;
  /** With everything later that belongs to the same requests as the chosen events, whoever did it. */
  readonly effects?: boolean;
  /** What lies up to here is not told, though it may have led to what is. */
  readonly after?: Position;
  /** Where the times `from` and `to` lie in the log, see bounded: nothing before the one place or from the other on is wanted. */
  readonly startAt?: Position;
  readonly endAt?: Position;
}

/** So many requests are remembered whose effects are told, the newest; older ones have had theirs. */
const rememberedRequests = 100_000;

/** Reads the chosen events in the order of the log. What the server can filter it filters. */
export async function* readChosen(eventStore: Pick<EventStore, 'readLog'>, selection: ReplaySelection, signal?: AbortSignal): AsyncGenerator<StoredEvent> {
  const { from, to, endAt, effects, after } = selection;
  const isChosen = effects ? withEffects(chosenBy(selection)) : chosenBy(selection);
  const start = from instanceof Date ? selection.startAt : from;
  for await (const event of eventStore.readLog({ from: start ?? startOfLog, filter: filterOf(selection), signal })) {
    if (endAt ? comparePositions(event.position, endAt) >= 0 : to !== undefined && isAfter(event, to)) return;
    if (from instanceof Date && event.recordedAt < from) continue;
    if (endAt && to !== undefined && isAfter(event, to)) continue;
    if (isChosen(event) && !(after && comparePositions(event.position, after) <= 0)) yield event;
  }
}

/** Reactions carry on the correlation id of what they come from, jobs its trace; both come behind it in the log. */
function withEffects(isChosen: (event: StoredEvent) => boolean): (event: StoredEvent) => boolean {
  const requests = new Set<string>();
  return (event) => {
    const ids = requestIdsOf(event);
    if (!isChosen(event)) return ids.some((id) => requests.has(id));
    for (const id of ids) requests.add(id);
    while (requests.size > rememberedRequests) requests.delete(requests.values().next().value!);
    return true;
  };
}

/** The ids that all events of one request share: its correlation id, and the id of its trace. */
function requestIdsOf({ metadata: { correlationId, traceparent } }: StoredEvent): string[] {
  const trace = typeof traceparent === 'string' ? traceparent.split('-')[1] : undefined;
  return [correlationId, trace].filter((id) => typeof id === 'string');
}

/** The log knows prefixes of streams or of types, not both. What chosen events led to may be of any. */
function filterOf({ types, streams, effects }: ReplaySelection): LogFilter | undefined {
  if (effects) return undefined;
  if (streams.length > 0) return { streamPrefixes: streams.map(prefixOf) };
  return types.length > 0 ? { eventTypePrefixes: types.map(prefixOf) } : undefined;
}

function chosenBy({ types, streams, project, actor, correlationId }: ReplaySelection): (event: StoredEvent) => boolean {
  const wanted = Object.entries({ project, actor, correlationId }).filter(([, value]) => value !== undefined);
  return ({ type, stream, metadata }) => matches(types, type) && matches(streams, stream) && wanted.every(([name, value]) => metadata[name] === value);
}

const matches = (patterns: readonly string[], name: string): boolean =>
  patterns.length === 0 || patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(prefixOf(pattern)) : name === pattern));

const prefixOf = (pattern: string): string => (pattern.endsWith('*') ? pattern.slice(0, -1) : pattern);

const isAfter = ({ position, recordedAt }: StoredEvent, to: Position | Date): boolean => (to instanceof Date ? recordedAt > to : comparePositions(position, to) > 0);
