import { expect, test } from '@jest/globals';
import { comparePositions, type LogReadOptions, type Position, type StoredEvent } from '../../../src/platform/eventstore/port.js';
import { placesOf } from '../../../src/projections/engine/places.js';
import { countersView } from './counters.js';

/** A log whose events lie so far apart: one in the embedded event store, as many bytes as an event has in EventStoreDB. */
function logOf(events: number, distance: number) {
  const at = (n: number): Position => ({ commit: BigInt(n * distance), prepare: BigInt(n * distance) });
  async function* readLog({ from, limit = Infinity }: LogReadOptions = {}): AsyncGenerator<StoredEvent> {
    const later = Array.from({ length: events }, (_, n) => at(n + 1)).filter((position) => comparePositions(position, from as Position) > 0);
    for (const position of later.slice(0, limit)) yield { position } as StoredEvent;
  }
  return { at, readLog };
}

const slice = (name: string) => ({ view: countersView({ name }), index: 0, of: 1 });
const [ahead, near, far] = ['ahead', 'near', 'far'].map(slice) as [ReturnType<typeof slice>, ReturnType<typeof slice>, ReturnType<typeof slice>];

test.each([1, 100_000])('slices are together or apart by the events between them, whether an event is %d positions long or not', async (distance) => {
  const log = logOf(10_000, distance);
  const placed = [{ slice: far, position: log.at(7_000) }, { slice: near, position: log.at(9_000) }, { slice: ahead, position: log.at(10_000) }];
  expect(await placesOf(placed, log)).toEqual([[ahead, near], [far]]);
});

test('while the log cannot be read, only slices at the very same place are together', async () => {
  const log = logOf(10, 1);
  const broken = { readLog: () => { throw new Error('away'); } };
  const placed = [{ slice: far, position: log.at(1) }, { slice: near, position: log.at(2) }, { slice: ahead, position: log.at(2) }];
  expect(await placesOf(placed, broken)).toEqual([[near, ahead], [far]]);
});
