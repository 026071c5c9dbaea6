import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEventStore } from '../../src/platform/eventstore/embedded/index.js';

/** An empty event store in this process, for one test or suite. */
export interface TestEventStore {
  /** The connection string for the client. */
  url: string;
  /** Stops it and removes its data. */
  close(): Promise<void>;
}

/** Starts an embedded event store on a free port and a folder of its own; its system projections only run when asked for. */
export async function testEventStore({ projections = false } = {}): Promise<TestEventStore> {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-test-eventstore-'));
  const store = await startEventStore({ dir, port: 0, projections });
  return {
    url: store.connectionString,
    async close() {
      await store.close();
      await rm(dir, { recursive: true });
    },
  };
}
