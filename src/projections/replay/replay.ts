import type { Decider } from '../../domain/kit/index.js';
import { formatPosition, type EventStore, type Position, type StoredEvent } from '../../platform/eventstore/port.js';
import { readChosen, type ReplaySelection } from './selection.js';
import { States, type StateAfter } from './states.js';

/** One event as a replay tells it. Data that is not JSON comes as base64. */
export interface ReplayedEvent {
  readonly position: string;
  readonly stream: string;
  readonly revision: string;
  readonly type: string;
  readonly id: string;
  readonly recordedAt: string;
  readonly data?: unknown;
  readonly dataBase64?: string;
  readonly metadata: Record<string, unknown>;
  readonly state?: unknown;
  readonly stateError?: string;
}

/** How far a replay is. */
export interface ReplayProgress {
  readonly events: number;
  readonly position: string;
  /** Share of the log passed, 0 to 1. */
  readonly done: number;
}

export interface ReplayOptions {
  /** With the state of its stream after each event. */
  readonly state: boolean;
  readonly deciders: readonly Decider[];
  readonly onProgress?: (progress: ReplayProgress) => void;
  /** How often at most; half a second when it is not said. */
  readonly tellEvery_ms?: number;
  readonly signal?: AbortSignal;
}

/** Tells the chosen events of the log again, in order, one at a time: memory does not grow with the log. */
export async function* replay(eventStore: EventStore, selection: ReplaySelection, { state, deciders, onProgress, tellEvery_ms = 500, signal }: ReplayOptions): AsyncGenerator<ReplayedEvent> {
  const states = state ? new States(eventStore, deciders) : undefined;
  const tell = onProgress && progressTeller(await eventStore.endOfLog(), tellEvery_ms, onProgress);
  for await (const event of readChosen(eventStore, selection, signal)) {
    yield eventAsTold(event, await states?.after(event));
    tell?.(event.position);
  }
}

function eventAsTold({ position, stream, revision, type, id, recordedAt, data, metadata }: StoredEvent, state: StateAfter | undefined): ReplayedEvent {
  return {
    position: formatPosition(position),
    stream,
    revision: `${revision}`,
    type,
    id,
    recordedAt: recordedAt.toISOString(),
    ...(data instanceof Uint8Array ? { dataBase64: Buffer.from(data).toString('base64') } : { data }),
    metadata,
    ...state,
  };
}

function progressTeller(end: Position, tellEvery_ms: number, onProgress: (progress: ReplayProgress) => void): (position: Position) => void {
  let events = 0;
  let toldAt = performance.now();
  return (position) => {
    events++;
    if (performance.now() - toldAt < tellEvery_ms) return;
    toldAt = performance.now();
    onProgress({ events, position: formatPosition(position), done: end.commit === 0n ? 1 : Math.min(1, Number(position.commit) / Number(end.commit)) });
  };
}

/** A line of JSON. States hold what JSON does not know: maps become objects, sets lists, 64-bit integers texts. */
export const jsonLine = (value: unknown): string => `${JSON.stringify(value, plain)}\n`;

/** The event with its state as JSON knows it, for wires that do not write JSON themselves. */
export const inPlainJson = (event: ReplayedEvent): ReplayedEvent => (event.state === undefined ? event : { ...event, state: JSON.parse(JSON.stringify(event.state, plain)) });

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`;
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value;
}
