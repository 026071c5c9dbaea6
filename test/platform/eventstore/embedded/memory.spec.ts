import { expect, test } from '@jest/globals';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { readFileSync } from 'node:fs';
import { MEMORY_FLAGS } from '../../../../src/platform/eventstore/embedded/memory-flags.js';
import { temporaryFolder } from './filled.js';
import { NodeProcess } from './node-process.js';

const WRITERS = 64;
const APPENDS = 1_200;

/** Pages of files that are mapped into a process; in MiB. */
const mappedMiB = (pid: number) => Number(/RssFile:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

test('of the data file, no more stays in memory than is allowed to, however much is written and nothing read', async () => {
  const folder = await temporaryFolder();
  const node = await NodeProcess.start(folder.path, MEMORY_FLAGS);
  const client = EventStoreDBClient.connectionString(node.url);
  try {
    const append = () => Promise.all(Array.from({ length: WRITERS }, (_, writer) => client.appendToStream(`written-${writer}`, jsonEvent({ type: 'Written', data: { fill: 'x'.repeat(400) } }))));
    await append();
    const before = mappedMiB(node.pid);
    let most = 0;
    for (let n = 0; n < APPENDS; n++) {
      await append();
      most = Math.max(most, mappedMiB(node.pid));
    }
    // 32 MiB, what one transaction maps before it is looked at, and code that was loaded meanwhile.
    expect(most - before).toBeLessThan(48);
  } finally {
    await client.dispose();
    expect(await node.stop()).toBe(0);
    await folder.remove();
  }
});
