import { EventStoreDBClient, binaryEvent, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStore, type EventStoreOptions } from '../../../../src/platform/eventstore/embedded/index.js';

/** A folder for one test, and how to be rid of it. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'tarl-test-eventstore-'));
  return { path, remove: () => rm(path, { recursive: true }) };
}

/** Runs a node, without system projections unless asked for, on a folder for as long as `use` takes. */
export async function withNode<T>(options: EventStoreOptions, use: (client: EventStoreDBClient, url: string) => Promise<T>): Promise<T> {
  const node = await startEventStore({ projections: false, ...options });
  const client = EventStoreDBClient.connectionString(node.connectionString);
  try {
    return await use(client, node.connectionString);
  } finally {
    await client.dispose();
    await node.close();
  }
}

/** Writes streams of every kind there is: long and short, truncated, deleted softly and for good, deleted and written again. */
export async function fill(client: EventStoreDBClient, prefix = 's'): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await client.appendToStream(`${prefix}-${i}`, Array.from({ length: 60 }, (_, n) => jsonEvent({ type: 'Counted', data: { n, text: `${prefix} ${i} ${n} ${'x'.repeat(100)}` }, metadata: { by: 'a test' } })), { expectedRevision: NO_STREAM });
  }
  await client.appendToStream(`${prefix}-binary`, binaryEvent({ type: 'Bytes', data: Buffer.from([0, 255, 1, 254]), metadata: Buffer.from([7]) }));
  await client.setStreamMetadata(`${prefix}-1`, { maxCount: 3 });
  await client.setStreamMetadata(`${prefix}-2`, { truncateBefore: 50 });
  await client.deleteStream(`${prefix}-3`);
  await client.deleteStream(`${prefix}-4`);
  await client.appendToStream(`${prefix}-4`, jsonEvent({ type: 'Back', data: {} }));
  await client.tombstoneStream(`${prefix}-5`);
  await client.appendToStream(`${prefix}-6`, jsonEvent({ type: 'After', data: {} }));
}
