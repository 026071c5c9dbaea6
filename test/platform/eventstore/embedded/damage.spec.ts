import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { jsonEvent, type EventStoreDBClient } from '@eventstore/db-client';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, withNode } from './filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
  await withNode({ dir: folder.path }, async (client) => {
    for (const mark of ['FIRST', 'SECOND', 'THIRD']) await client.appendToStream(`s-${mark}`, jsonEvent({ type: 'Marked', data: { mark: `mark ${mark} ${'x'.repeat(50)}` } }));
  });
});

afterEach(() => folder.remove());

test('an event with a flipped byte is refused, not served, and the others are still read', async () => {
  await flip('mark SECOND');
  await withNode({ dir: folder.path }, async (client) => {
    expect(await marks(client, 's-FIRST')).toHaveLength(1);
    await expect(marks(client, 's-SECOND')).rejects.toThrow('does not match its checksum');
    expect(await marks(client, 's-THIRD')).toHaveLength(1);
    await expect(all(client)).rejects.toThrow('does not match its checksum');
  });
});

/** Changes one bit of the text in the data file, wherever it stands. */
async function flip(text: string): Promise<void> {
  const file = join(folder.path, 'events.mdb');
  const bytes = await readFile(file);
  let flipped = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1), flipped++) bytes[at + 6]! ^= 1;
  expect(flipped).toBeGreaterThan(0);
  await writeFile(file, bytes);
}

async function marks(client: EventStoreDBClient, stream: string): Promise<unknown[]> {
  const out: unknown[] = [];
  for await (const { event } of client.readStream(stream)) out.push(event!.data);
  return out;
}

async function all(client: EventStoreDBClient): Promise<void> {
  for await (const _ of client.readAll()) continue;
}
