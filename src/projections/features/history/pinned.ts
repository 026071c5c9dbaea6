import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import { featureGroupStream, featureRowsStream, featureServiceStream } from '../../../domain/features/streams.js';
import { Refusal } from '../../../domain/kit/index.js';
import { comparePositions, formatPosition, startOfLog, type EventStore, type Position, type StoredEvent } from '../../../platform/eventstore/port.js';
import { resolve, type Named } from '../transformations/named.js';
import { transformationAt } from '../transformations/transformation-at.js';
import { groupAt } from './group-at.js';
import type { KnownAt } from './known.js';
import { askedOf, groupsOf, type Selection } from './selection.js';
import { serviceAt } from './service-at.js';

/** A question of a read: what it selects, and what it may know. */
export type Question = Selection & { readonly project: string; readonly service?: string; readonly known: KnownAt; readonly deletionsUpTo?: Position };

/**
 * What a read may know, as a place in the log; where the log ended then, because deletions count up to there; and the
 * selection, the groups and the transformations as they were declared there.
 */
export interface Pinned<Asking extends Question = Question> extends Named {
  readonly known: KnownAt & { readonly position: Position };
  readonly end: Position;
  /** The question with the features of its service. */
  readonly selection: Asking;
}

/**
 * Pins a read to the log as it stands now, or as it stood at the bounds given: what is written while the answer is
 * made stays out of it, and the same question with this position has the same answer for ever, save that of entities
 * deleted since it no longer tells the values.
 */
export async function pinned<Asking extends Question>(eventStore: EventStore, question: Asking, signal?: AbortSignal): Promise<Pinned<Asking>> {
  const { project, service, known } = question;
  const endOfLog = await eventStore.endOfLog();
  const position = positionOf(endOfLog, known);
  const end = question.deletionsUpTo ?? endOfLog;
  const selection = service ? askedOf(question, await serviceAt(eventStore, project, service, known, signal)) : question;
  const groups = groupsOf(selection);
  const declared = await namedAt(eventStore, project, groups, { ...known, position }, signal);
  if (known.timeUs === undefined) return { known: { ...known, position }, end, selection, ...declared };
  const streams = [...[...declared.definitions.values()].flatMap(streamsOf), ...(service ? [featureServiceStream(project, service)] : [])];
  const then = await positionAt(eventStore, streams, known.timeUs, signal);
  const earlier = comparePositions(then, position) < 0 ? then : position;
  return { known: { ...known, position: earlier }, end, selection, ...(await namedAt(eventStore, project, groups, { ...known, position: earlier }, signal)) };
}

function positionOf(end: Position, { position }: KnownAt): Position {
  if (position === undefined) return end;
  if (comparePositions(position, end) <= 0) return position;
  throw new Refusal('OUT_OF_RANGE', `Position ${formatPosition(position)} lies beyond the end of the log, ${formatPosition(end)}`, { reason: 'POSITION_BEYOND_END' });
}

const namedAt = (eventStore: EventStore, project: string, names: readonly string[], known: KnownAt & { readonly position: Position }, signal?: AbortSignal): Promise<Named> =>
  resolve(names, {
    group: (name) => groupAt(eventStore, project, name, known.position, signal),
    transformation: (name) => transformationAt(eventStore, project, name, known, signal),
  });

const streamsOf = ({ project, group, partitions }: FeatureGroupDefinition): string[] => [
  featureGroupStream(project, group),
  ...Array.from({ length: partitions }, (_, partition) => featureRowsStream(project, group, partition)),
];

/** Where the last event of the streams stands that had been recorded by a moment. */
async function positionAt(eventStore: EventStore, streams: readonly string[], timeUs: number, signal?: AbortSignal): Promise<Position> {
  const positions = await Promise.all(streams.map((stream) => lastRecordedBy(eventStore, stream, timeUs, signal)));
  return positions.reduce((latest, position) => (comparePositions(position, latest) > 0 ? position : latest), startOfLog);
}

/** The log's clock does not run backwards, so a stream is searched by halves. */
async function lastRecordedBy(eventStore: EventStore, stream: string, timeUs: number, signal?: AbortSignal): Promise<Position> {
  const recordedBy = (event: StoredEvent) => event.recordedAt.getTime() * 1000 <= timeUs;
  const last = await firstOf(eventStore.readStream(stream, { from: 'end', direction: 'backwards', limit: 1, signal }));
  if (last === undefined || recordedBy(last)) return last?.position ?? startOfLog;
  let found = startOfLog;
  let low = 0n;
  let high = last.revision;
  while (low < high) {
    const middle = (low + high) / 2n;
    const event = await firstOf(eventStore.readStream(stream, { from: middle, limit: 1, signal }));
    if (event !== undefined && recordedBy(event)) {
      found = event.position;
      low = middle + 1n;
    } else high = middle;
  }
  return found;
}

async function firstOf(events: AsyncIterable<StoredEvent>): Promise<StoredEvent | undefined> {
  for await (const event of events) return event;
  return undefined;
}
