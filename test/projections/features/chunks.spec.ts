import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { featureEntityDeleted } from '../../../src/domain/features/deletion.js';
import { latestEventTimeUs } from '../../../src/domain/features/values.js';
import type { StoredEvent } from '../../../src/platform/eventstore/port.js';
import { connectDataSource } from '../../../src/platform/postgres/data-source.js';
import { chunksOf } from '../../../src/projections/features/chunks/index-of-chunks.js';
import { featureChunksView } from '../../../src/projections/features/chunks/view.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { chunkOf } from './history/written.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await (await connectDataSource(database.url, [])).destroy();
});
afterAll(() => database.drop());

const [first, second] = ['features-p.g.0', 'features-p.g.1'];
const [a, b] = ['["a"]', '["b"]'];

/** The event of rows of entities at times, which its stream has at a revision. */
const rows = (stream: string, revision: number, keys: readonly string[], ...times: number[]): StoredEvent =>
  ({ stream, revision: BigInt(revision), type: 'FeatureRowsWritten', metadata: { version: 1 }, data: chunkOf(keys.flatMap((key) => times.map((timeUs) => ({ key: [key], timeUs, values: { n: 1 } })))) }) as unknown as StoredEvent;

test('lists for each stream what may hold wanted rows, latest first, with what the view could not take, and how far all slices of the view are', async () => {
  const many = Array.from({ length: 600 }, (_, n) => `m${n}`);
  const deletion = { stream: second, revision: 1n, type: featureEntityDeleted.type, metadata: { version: 1 }, data: { project: 'p', group: 'g', version: 1, partition: 1, key: a } } as unknown as StoredEvent;
  const events = [rows(first!, 0, ['a'], 10, 90), rows(first!, 1, ['b'], 20), rows(first!, 2, many, 30), rows(first!, 3, ['a'], 70), rows(second!, 0, ['a', 'b'], 40), deletion];
  const client = await database.pool.connect();
  try {
    await featureChunksView.project(events, { client, table: (name) => name });
    await client.query(`insert into projection_parked_events (view, shadow, key, stream, revision, event_id, event_type, commit_position, prepare_position)
      select 'feature-chunks', false, 'k', '${second}', 7, gen_random_uuid(), 'FeatureRowsWritten', 5, 5`);
    await client.query(`insert into projection_checkpoints (view, version, commit_position, prepare_position, slices, slice) values ('feature-chunks', 1, 30, 30, 2, 0), ('feature-chunks', 1, 9, 10, 2, 1)`);
  } finally {
    client.release();
  }
  const { streams, reached } = await chunksOf(database.pool, [{ stream: second!, keys: [a!, b!] }, { stream: first!, keys: [a!] }, { stream: 'features-p.g.2', keys: [a!] }], 60, 10);
  expect(reached).toEqual({ commit: 9n, prepare: 10n });
  expect(streams).toEqual([
    { next: 2n, chunks: [{ revision: 7n, toUs: latestEventTimeUs }, { revision: 1n, toUs: latestEventTimeUs }, { revision: 0n, toUs: 40 }] },
    { next: 4n, chunks: [{ revision: 0n, toUs: 90 }, { revision: 2n, toUs: 30 }] },
    { next: 0n, chunks: [] },
  ]);
  expect((await chunksOf(database.pool, [{ stream: first!, keys: [a!, b!] }], 60, 2)).streams[0]!.chunks.map(({ revision }) => revision)).toEqual([0n, 2n]);
});
