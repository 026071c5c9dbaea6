import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeChunk } from '../../../../src/domain/features/chunk.js';
import { featureEntityDeleted } from '../../../../src/domain/features/deletion.js';
import { latestEventTimeUs, type EntityValue } from '../../../../src/domain/features/values.js';
import { connect } from '../../../../src/platform/eventstore/index.js';
import { comparePositions, startOfLog, type EventStore, type Position, type StreamReadOptions } from '../../../../src/platform/eventstore/port.js';
import type { ChunkPlace, Listed, StreamKeys } from '../../../../src/projections/features/chunks/index-of-chunks.js';
import { readAsOf } from '../../../../src/projections/features/history/as-of.js';
import type { ListChunks } from '../../../../src/projections/features/history/chosen-events.js';
import { Replay } from '../../../../src/projections/features/history/replay.js';
import { testEventStore, type TestEventStore } from '../../../support/eventstore.js';
import { situations } from './generated.js';
import { declare, declareWindows, record, stage, write, type Declared } from './group.js';
import type { Fact } from './written.js';

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

/** A list like that of the view, which has seen only the first `reach` events of each stream. */
const listing = (reach: number): ListChunks => async (wanted, untilUs, most) => {
  const listed = await Promise.all(wanted.map((one) => listOf(one, reach, untilUs, most)));
  const reached = [await eventStore.endOfLog(), ...listed.flatMap(({ upTo }) => upTo ?? [])].sort(comparePositions)[0]!;
  return { reached, streams: listed };
};

/** `upTo` is the place of the last event seen where others come after it. */
async function listOf({ stream, keys }: StreamKeys, reach: number, untilUs: number, most: number): Promise<Listed & { upTo?: Position }> {
  const chunks: ChunkPlace[] = [];
  let next = 0n;
  let position = startOfLog;
  for await (const event of eventStore.readStream(stream)) {
    if (event.revision >= reach) return { ...inOrder(chunks, most), next, upTo: position };
    next = event.revision + 1n;
    position = event.position;
    if (event.type === featureEntityDeleted.type) {
      if (keys.includes((event.data as { key: string }).key)) chunks.push({ revision: event.revision, toUs: latestEventTimeUs });
      continue;
    }
    const block = decodeChunk(event.data);
    if (block.keys.some((key) => keys.includes(key)) && Math.min(...block.timeUs) <= untilUs) chunks.push({ revision: event.revision, toUs: Math.max(...block.timeUs) });
  }
  return { ...inOrder(chunks, most), next };
}

const inOrder = (chunks: ChunkPlace[], most: number) => ({ chunks: chunks.sort((a, b) => b.toUs - a.toUs || Number(b.revision - a.revision)).slice(0, most) });

/** The moments of the situations lie ten microseconds apart; windows are measured in seconds, and are to begin among the rows. */
const secondsOf = (timeUs: number): number => (timeUs - 1_000_000) * 100_000;
const inSeconds = (fact: Fact): Fact => ('deleted' in fact ? fact : { ...fact, rows: fact.rows.map((row) => ({ ...row, timeUs: secondsOf(row.timeUs) })) });

test('a read of chosen events gives what a replay of everything gives, however far the list has come', async () => {
  let projects = 0;
  const replay = new Replay(eventStore, { cacheBytes: 0 });
  const property = fc.asyncProperty(situations, fc.nat(13), fc.constantFrom(1, 2), fc.constantFrom(1, 5, 20), async ({ facts, asked, rules }, reach, partitions, durationSeconds) => {
    const group: Declared = { project: `p${++projects}`, group: 'g', keys: { k1: 'STRING', k2: 'INT64' }, features: { n: 'INT64', s: 'STRING' }, partitions };
    await declare(eventStore, group);
    await declareWindows(eventStore, group, durationSeconds);
    let position = await eventStore.endOfLog();
    for (const [at, fact] of facts.entries()) {
      const last = await record(eventStore, group, inSeconds(fact));
      if (at < (rules.position ?? Infinity)) position = last;
    }
    const keys = new Map([0, 1].map((part) => [`k${part + 1}`, asked.slice(0, 3).map(({ key }) => key![part] as EntityValue)]));
    for (const features of [['g'], ['g', 'windows']]) {
      const request = { project: group.project, features, fullNames: true, entities: Math.min(3, asked.length), keys, atUs: secondsOf(asked[0]!.timeUs), known: { position } };
      expect(await readAsOf(replay, request, undefined, listing(reach))).toEqual(await readAsOf(replay, request));
    }
  });
  await fc.assert(property, { numRuns: 60 });
});

test('a read of one entity touches few events of a long history, with windows those that the windows reach', async () => {
  const group: Declared = { project: 'long', group: 'g', keys: { k: 'STRING' }, features: { n: 'INT64' }, partitions: 1 };
  const second = 1_000_000;
  await declare(eventStore, group);
  await declareWindows(eventStore, group, 5);
  for (let n = 0; n < 50; n++) await write(eventStore, group, [{ key: ['a'], timeUs: n * second, values: { n } }, { key: ['b'], timeUs: n * second + 5, values: { n } }]);
  let read = 0;
  const counting: EventStore = Object.create(eventStore, {
    readStream: {
      value: async function* (stream: string, options: StreamReadOptions) {
        for await (const event of eventStore.readStream(stream, options)) {
          if (stream.startsWith('features-')) read++;
          yield event;
        }
      },
    },
  });
  for (const [features, values, most] of [[['g'], [25], 2], [['g', 'windows'], [25, 5, 21 + 22 + 23 + 24 + 25], 7]] as const) {
    read = 0;
    const answer = await readAsOf(new Replay(counting, { cacheBytes: 0 }), { project: 'long', features, fullNames: true, entities: 1, keys: new Map([['k', ['a']]]), atUs: 25 * second, known: {} }, undefined, listing(50));
    expect(answer.features.map((feature) => feature.values[0])).toEqual(values);
    expect(read).toBeLessThanOrEqual(most);
  }
});

test('a tie goes to the later write, also where only the last of the listed events holds it', async () => {
  const group: Declared = { project: 'ties', group: 'g', keys: { k: 'STRING' }, features: { n: 'INT64' }, partitions: 1 };
  await declare(eventStore, group);
  for (let n = 0; n < 8; n++) await write(eventStore, group, [{ key: ['a'], timeUs: 100, values: { n } }, { key: ['b'], timeUs: 500 + n, values: { n } }]);
  await write(eventStore, group, [{ key: ['a'], timeUs: 100, values: { n: 99 } }]);
  const request = { project: 'ties', features: ['g'], fullNames: false, entities: 1, keys: new Map([['k', ['a']]]), atUs: 200, known: {} };
  const { features } = await readAsOf(new Replay(eventStore, { cacheBytes: 0 }), request, undefined, listing(50));
  expect(features[0]!.values).toEqual([99]);
});

test('a read of two versions of a group finds the rows of both, however far apart they lie', async () => {
  const group: Declared = { project: 'versions', group: 'g', keys: { k: 'STRING' }, features: { n: 'INT64' }, partitions: 1 };
  const second = { ...group, version: 2 };
  await declare(eventStore, group);
  await stage(eventStore, second);
  await write(eventStore, second, [{ key: ['a'], timeUs: 100, values: { n: 2 } }]);
  for (let n = 0; n < 5; n++) await write(eventStore, group, [{ key: ['a'], timeUs: 200 + n, values: { n: 1 } }]);
  const request = { project: 'versions', features: ['g@1', 'g@2'], fullNames: true, entities: 1, keys: new Map([['k', ['a']]]), atUs: 300, known: {} };
  const { features } = await readAsOf(new Replay(eventStore, { cacheBytes: 0 }), request, undefined, listing(50));
  expect(features.map(({ values }) => values)).toEqual([[1], [2]]);
});
