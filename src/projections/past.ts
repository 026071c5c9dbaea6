import type { Pool } from 'pg';
import { Refusal } from '../domain/kit/index.js';
import { comparePositions, formatPosition, type EventStore, type Position } from '../platform/eventstore/port.js';
import { placeOf, placeWords } from './kit/place.js';
import type { View } from './kit/view.js';
import { placeOfTime } from './log-times/place-of-time.js';
import { logTimesView } from './log-times/view.js';

export interface PastOptions {
  readonly eventStore: EventStore;
  readonly pool: Pool;
  readonly views: readonly View[];
  /** Resolves when the views hold everything up to the position, or refuses. */
  readonly awaitViews: (views: readonly string[], position: Position) => Promise<void>;
}

/**
 * The position that a question about the past means, which its views have reached. Refuses what lies in the future, and
 * views whose history is still being built.
 */
export async function pinPast(asOf: string, views: readonly string[], options: PastOptions, signal?: AbortSignal): Promise<string> {
  const place = placeOf(asOf);
  if (place === undefined) throw new Refusal('INVALID_ARGUMENT', `asOf ${placeWords}`, { reason: 'INVALID_INPUT', fields: [{ field: 'asOf', description: placeWords }] });
  await requireBuilt(place instanceof Date ? [...views, logTimesView.name] : views, options);
  const position = place instanceof Date ? await positionOf(place, options, signal) : await withinLog(place, options);
  await options.awaitViews(views, position);
  return formatPosition(position);
}

async function positionOf(time: Date, { pool, eventStore }: PastOptions, signal?: AbortSignal): Promise<Position> {
  if (time.getTime() > Date.now()) throw outOfRange(`The time ${time.toISOString()} has not come yet`, 'TIME_IN_FUTURE');
  return placeOfTime(pool, eventStore, time, signal);
}

async function withinLog(position: Position, { eventStore }: PastOptions): Promise<Position> {
  const end = await eventStore.endOfLog();
  if (comparePositions(position, end) <= 0) return position;
  throw outOfRange(`Position ${formatPosition(position)} lies beyond the end of the log, ${formatPosition(end)}`, 'POSITION_BEYOND_END');
}

const outOfRange = (message: string, reason: string) => new Refusal('OUT_OF_RANGE', message, { reason, fields: [{ field: 'asOf', description: 'takes a moment of the past' }] });

/** Before a view is built in its present version, its history does not hold what its queries ask for. */
async function requireBuilt(names: readonly string[], { pool, views }: PastOptions): Promise<void> {
  const { rows } = await pool.query<{ view: string; version: number }>('select view, version from projection_checkpoints where view = any($1)', [names]);
  const late = names.find((name) => rows.find(({ view }) => view === name)?.version !== views.find((view) => view.name === name)?.version);
  if (late === undefined) return;
  throw new Refusal('UNAVAILABLE', `View ${late} is being built; its past can be asked for when that is done`, { reason: 'VIEW_NOT_BUILT', metadata: { view: late } });
}
