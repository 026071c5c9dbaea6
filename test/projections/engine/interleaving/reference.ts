import { comparePositions, type Position, type StoredEvent } from '../../../../src/platform/eventstore/port.js';
import { sliceOfKey } from '../../../../src/projections/engine/slices.js';
import { foldOfLog } from '../counters.js';

/** What should have become of an event. */
interface Told {
  readonly event: StoredEvent;
  readonly key: string;
  readonly fate: 'applied' | 'waits' | 'left out';
  /** It cannot be taken itself, and does not only wait for another one. */
  readonly fails: boolean;
}

/** Of which counters an event tells; nothing where it cannot be decoded. */
export const counterOf = ({ data }: StoredEvent) => {
  const { counter, by } = data as { counter: string; by?: unknown };
  return by === undefined || typeof by === 'number' ? counter : undefined;
};

/** The fate of every event, told without slices: one that fails waits, and whatever comes later for its key or its stream. */
export function fatesOf(events: readonly StoredEvent[], fails: (event: StoredEvent) => boolean, skipped: ReadonlySet<string>): Told[] {
  const waiting = new Set<string>();
  return events.filter(({ type }) => type.startsWith('Counter')).map((event) => {
    const key = counterOf(event) ?? `stream:${event.stream}`;
    const waits = waiting.has(key) || waiting.has(`stream:${event.stream}`);
    const failing = !waits && fails(event);
    const fate = failing && skipped.has(event.id) ? 'left out' : waits || failing ? 'waits' : 'applied';
    if (fate === 'waits') waiting.add(key);
    return { event, key, fate, fails: failing };
  });
}

/** Those of them that slices have seen which stand at these positions. */
export function seenBy(positions: readonly Position[], fates: readonly Told[]): Told[] {
  return fates.filter(({ event, key }) => comparePositions(event.position, positions[sliceOfKey(key, positions.length)]!) <= 0);
}

export const rowsOf = (fates: readonly Told[]) => foldOfLog(fates.filter(({ fate }) => fate === 'applied').map(({ event }) => event));
export const waitingOf = (fates: readonly Told[]) => fates.filter(({ fate }) => fate === 'waits').map(({ event, key }) => ({ id: event.id, key }));
/** The keys of which it must be said why they wait. */
export const failingKeysOf = (fates: readonly Told[]) => fates.filter(({ fate, fails }) => fate === 'waits' && fails).map(({ key }) => key).sort();
