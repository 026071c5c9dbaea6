import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { encodeKey, partitionOf } from '../../../../src/domain/features/keys.js';
import { featureRowsStream } from '../../../../src/domain/features/streams.js';
import { windowAggregates } from '../../../../src/domain/features/transformations/definition.js';
import { connect } from '../../../../src/platform/eventstore/index.js';
import type { EventStore } from '../../../../src/platform/eventstore/port.js';
import type { HistoryEvent } from '../../../../src/projections/features/history/events.js';
import { momentsAt } from '../../../../src/projections/features/history/slots.js';
import { concerns } from '../../../../src/projections/features/history/tell.js';
import type { PlannedWindow } from '../../../../src/projections/features/transformations/plan.js';
import { LiveWindows } from '../../../../src/projections/features/windows/live.js';
import { WindowJoin } from '../../../../src/projections/features/windows/window-join.js';
import { WindowTable } from '../../../../src/projections/features/windows/window-table.js';
import { windowValue } from '../../../../src/projections/features/windows/window-value.js';
import { testEventStore, type TestEventStore } from '../../../support/eventstore.js';
import { situations } from '../history/generated.js';
import { definitionOf } from '../history/group.js';
import { blockOf, chunkOf, type Fact } from '../history/written.js';

const windowsOver = (durationUs: number, feature: string, type: 'INT64' | 'DOUBLE'): PlannedWindow[] =>
  windowAggregates.map((aggregate) => ({ run: 0, output: 0, join: 0, feature, spec: { aggregate, input: 0, durationUs, type: aggregate === 'MEAN' ? 'DOUBLE' : type } }));

/** The facts as events, each of a version of the group; doubles whose sum depends on the order of adding. */
function eventsOf(facts: readonly Fact[], versions: readonly number[]): HistoryEvent[] {
  return facts.flatMap((fact, at): HistoryEvent[] => {
    const written = { revision: BigInt(at), position: { commit: BigInt(at), prepare: BigInt(at) }, recordedAtUs: fact.recordedAtUs };
    if ('deleted' in fact) return fact.deleted.map((key) => ({ ...written, deleted: { project: 'p', group: 'g', version: versions[at]!, partition: 0, key: encodeKey(key) } }));
    const rows = fact.rows.map((row, i) => ({ ...row, values: { n: row.values.n!, d: row.values.n === null ? null : (row.values.n as number) * 10 ** (((at * 7 + i) % 5) * 5) + 0.1 } }));
    return [{ ...written, block: { ...blockOf(rows, fact.mode), version: versions[at]! } }];
  });
}

function replayed(events: readonly HistoryEvent[], keys: readonly string[], atUs: number, windows: readonly PlannedWindow[]): unknown[][] {
  const join = new WindowJoin(momentsAt(keys, new Float64Array(keys.length).fill(atUs)), windows);
  for (const event of events) {
    if (!('deleted' in event)) {
      if (event.block.version === 1 && event.block.mode !== 'OFFLINE') join.add(event.block, event.recordedAtUs);
    } else if (concerns(event, 1)) join.delete([event.deleted.key], event.recordedAtUs);
  }
  const found = join.finish();
  return keys.map((_, row) => windows.map((window) => [found.get(window)!.values[row], found.get(window)!.statuses[row]]));
}

const followed = (rowsOf: (key: string) => any, keys: readonly string[], atUs: number, windows: readonly PlannedWindow[]): unknown[][] =>
  keys.map((key) => windows.map((window) => Object.values(windowValue(window, rowsOf(key), atUs))));

test('what is followed row by row is bit for bit what a replay gives, whenever it is read: late rows, deletions, versions, rows that leave', () => {
  let told = 0;
  fc.assert(
    fc.property(situations, fc.array(fc.constantFrom(1, 1, 1, 2), { minLength: 12, maxLength: 12 }), fc.array(fc.nat(40), { minLength: 12, maxLength: 12 }), fc.constantFrom(10, 60, 1000), ({ facts, asked }, versions, moved, durationUs) => {
      const events = eventsOf(facts, versions);
      const keys = [...new Set(asked.map(({ key }) => encodeKey(key!)))];
      const windows = [...windowsOver(durationUs, 'n', 'INT64'), ...windowsOver(durationUs, 'd', 'DOUBLE')];
      let nowUs = 1_000_000;
      const table = new WindowTable({ version: 1, features: ['n', 'd'], durationUs }, () => nowUs);
      events.forEach((event, at) => {
        table.take(event);
        nowUs += moved[at % moved.length]!;
        const live = followed((key) => table.rowsOf(key), keys, nowUs, windows);
        expect(live).toEqual(replayed(events.slice(0, at + 1), keys, nowUs, windows));
        told += live.flat().filter(([value]: any) => value !== null && value !== 0).length;
      });
    }),
    { numRuns: 500 },
  );
  expect(told).toBeGreaterThan(1000);
});

let server: TestEventStore;
let eventStore: EventStore;
beforeAll(async () => {
  server = await testEventStore();
  eventStore = connect(server.url);
});
afterAll(async () => {
  await eventStore.close();
  await server.close();
});

test('windows loaded amid writing and followed from there are those of a replay, also when more is asked of them', async () => {
  let projects = 0;
  await fc.assert(
    fc.asyncProperty(situations, fc.nat(12), async ({ facts, asked }, loadedAt) => {
      const definition = definitionOf({ project: `p${++projects}`, group: 'g', keys: { k1: 'STRING', k2: 'INT64' }, features: { n: 'INT64', s: 'STRING' }, partitions: 2 });
      const now = 1_000_400;
      const live = new LiveWindows(eventStore, async () => 0n, () => now / 1000);
      const events: HistoryEvent[] = [];
      const read = (features: string[], fresh: boolean) => live.rowsOf(definition, { features, durationUs: 300, fresh });
      for (const [at, fact] of facts.entries()) {
        if (at === loadedAt) await read(['n'], false);
        await write(definition.project, fact);
        events.push(...eventsOf([fact], [1]));
      }
      const keys = [...new Set(asked.map(({ key }) => encodeKey(key!)))];
      const expected = replayed(events, keys, now, windowsOver(300, 'n', 'INT64'));
      expect(followed(await read(['n'], true), keys, now, windowsOver(300, 'n', 'INT64'))).toEqual(expected);
      expect(followed(await read(['s', 'n'], true), keys, now, windowsOver(300, 'n', 'INT64'))).toEqual(expected);
    }),
    { numRuns: 25 },
  );
});

test('a read that wants all that was written is answered also where all rows are older than the windows', async () => {
  const definition = definitionOf({ project: 'old', group: 'g', keys: { k1: 'STRING', k2: 'INT64' }, features: { n: 'INT64', s: 'STRING' }, partitions: 2 });
  const key = ['a', 1];
  const fact = (timeUs: number): Fact => ({ recordedAtUs: timeUs, mode: 'BOTH', rows: [{ key, timeUs, values: { n: 1, s: null } }] });
  for (const timeUs of [1, 2]) await write('old', fact(timeUs));
  const live = new LiveWindows(eventStore, async (stream) => (stream === featureRowsStream('old', 'g', partitionOf(encodeKey(key), 2)) ? 2n : 0n), () => 1000);
  const read = async () => followed(await live.rowsOf(definition, { features: ['n'], durationUs: 300, fresh: true }), [encodeKey(key)], 1_000_000, windowsOver(300, 'n', 'INT64')).flat().map(([value]: any) => value);
  expect(await read()).toEqual(expect.arrayContaining([0, null]));
  await write('old', fact(999_900));
  expect(await read()).toEqual(expect.arrayContaining([1]));
});

/** As `eventsOf` has it: one event for rows of a partition, one for each entity deleted. */
async function write(project: string, fact: Fact): Promise<void> {
  const append = (partition: number, type: string, data: unknown) => eventStore.append(featureRowsStream(project, 'g', partition), [{ id: randomUUID(), type, data, metadata: { version: 1 } }], { expected: 'any' });
  if ('deleted' in fact) {
    for (const key of fact.deleted.map(encodeKey)) await append(partitionOf(key, 2), 'FeatureEntityDeleted', { project, group: 'g', version: 1, partition: partitionOf(key, 2), key });
    return;
  }
  for (const [partition, rows] of Map.groupBy(fact.rows, ({ key }) => partitionOf(encodeKey(key), 2))) await append(partition, 'FeatureRowsWritten', chunkOf(rows, fact.mode, { project, partition }));
}
