import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { featureRowsWritten } from '../../../src/domain/features/chunk.js';
import { featureGroupStream, featureRowsStream } from '../../../src/domain/features/streams.js';
import { serverTarget } from '../../../src/platform/eventstore/embedded/tools/transfer/server.js';
import { writeLog } from '../../../src/platform/eventstore/embedded/tools/transfer/write-log.js';
import type { LoggedEvent } from '../../../src/platform/eventstore/embedded/tools/transfer/logged-event.js';
import { connect } from '../../../src/platform/eventstore/index.js';
import { formatPosition, type EventStore } from '../../../src/platform/eventstore/port.js';
import { readAsOf } from '../../../src/projections/features/history/as-of.js';
import { Replay } from '../../../src/projections/features/history/replay.js';
import { definitionOf, type Declared } from '../../projections/features/history/group.js';
import { chunkOf } from '../../projections/features/history/written.js';
import { testEventStore, type TestEventStore } from '../../support/eventstore.js';

const group: Declared = { project: 'p', group: 'g', keys: { k: 'STRING' }, features: { n: 'INT64' }, partitions: 1 };
const chunk = (timeUs: number, n: number) => chunkOf([{ key: ['a'], timeUs, values: { n } }], 'BOTH', { project: 'p', group: 'g' });
const rows = featureRowsStream('p', 'g', 0);
/** What happened on the first server: two hours of writing, the second row a backfill. */
const facts: readonly (readonly [created: string, stream: string, type: string, data: unknown])[] = [
  ['2025-03-01T10:00:00Z', featureGroupStream('p', 'g'), 'FeatureGroupCreated', definitionOf(group)],
  ['2025-03-01T11:00:00Z', rows, featureRowsWritten.type, chunk(100, 1)],
  ['2025-03-01T12:00:00.5Z', rows, featureRowsWritten.type, chunk(200, 2)],
];

let server: TestEventStore;
let eventStore: EventStore;
beforeAll(async () => {
  server = await testEventStore();
  eventStore = connect(server.url);
  const target = await serverTarget(server.url);
  await writeLog((async function* () { yield facts.map(logged); })(), target, { noteCreated: true });
  await target.close();
});
afterAll(async () => {
  await eventStore.close();
  await server.close();
});

function logged([created, stream, type, data]: (typeof facts)[number], at: number): LoggedEvent {
  const commit = BigInt(at + 1) * 100n;
  const revision = BigInt(facts.slice(0, at).filter(([, other]) => other === stream).length);
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  return { position: { commit, prepare: commit }, stream, revision, id: randomUUID(), type, isJson: true, data: json(data), metadata: json({ version: 1 }), createdTicks: BigInt(Date.parse(created)) * 10_000n };
}

const events = async () => {
  const all = [];
  for await (const event of eventStore.readLog()) all.push(event);
  return all;
};

describe('after a move to another server', () => {
  test('an event is still recorded when it was recorded first', async () => {
    expect((await events()).map(({ recordedAt }) => recordedAt.toISOString())).toEqual(['2025-03-01T10:00:00.000Z', '2025-03-01T11:00:00.000Z', '2025-03-01T12:00:00.500Z']);
  });

  test('what was known at a time is what was known then, under the positions of the new log', async () => {
    const [, first, second] = (await events()).map(({ position }) => formatPosition(position));
    const known = async (at: string) => {
      const request = { project: 'p', features: ['g'], fullNames: false, entities: 1, keys: new Map([['k', ['a']]]), atUs: 1000, known: { timeUs: Date.parse(at) * 1000 } };
      const answer = await readAsOf(new Replay(eventStore, { cacheBytes: 0 }), request);
      return { value: answer.features[0]!.values[0], position: formatPosition(answer.known.position) };
    };
    expect(await known('2025-03-01T11:30:00Z')).toEqual({ value: 1, position: first });
    expect(await known('2025-03-01T12:00:00.499Z')).toEqual({ value: 1, position: first });
    expect(await known('2025-03-01T12:00:00.5Z')).toEqual({ value: 2, position: second });
  });
});

test('a note of a time that is none is passed over, and so is the name within other data', async () => {
  const before = Date.now();
  const metadata = [{ $created: 'yesterday' }, { $created: 5 }, { note: '"$created"' }, { note: '$created', by: { $created: '2020-01-01T00:00:00Z' } }];
  await eventStore.append('other-1', metadata.map((one) => ({ id: randomUUID(), type: 'Noted', data: {}, metadata: one })), { expected: 'any' });
  for await (const { recordedAt } of eventStore.readStream('other-1')) expect(recordedAt.getTime()).toBeGreaterThanOrEqual(before - 1);
});
