import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BACKWARDS, END, EventStoreDBClient, FORWARDS, jsonEvent, NO_STREAM, START } from '@eventstore/db-client';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { verifyStore } from '../../../../../src/platform/eventstore/embedded/tools/verify.js';
import { tarl } from '../../../../support/tarl.js';
import { fill, temporaryFolder, withNode } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

interface Removed {
  result: string;
  events: number;
  bytes: number;
}

async function scavenge(...place: string[]): Promise<Removed> {
  const command = tarl(['eventstore', 'scavenge', ...place, '--json']);
  const code = await command.ended;
  if (code !== 0) throw new Error(`scavenge ended with ${code}: ${command.output.err}`);
  return JSON.parse(command.output.out) as Removed;
}

/** What readers of every stream see, in both directions, links and all; and the positions of the log. */
async function seen(client: EventStoreDBClient) {
  const streams: Record<string, unknown> = {};
  for (const name of [...Array.from({ length: 20 }, (_, i) => `s-${i}`), 's-binary', '$$s-1', '$$s-2', '$$s-3', '$$s-4']) {
    for (const direction of [FORWARDS, BACKWARDS] as const) {
      try {
        const events: unknown[] = [];
        for await (const { event } of client.readStream(name, { direction, fromRevision: direction === FORWARDS ? START : END })) events.push([event!.revision, event!.id, event!.position]);
        streams[`${name} ${direction}`] = events;
      } catch (error) {
        streams[`${name} ${direction}`] = (error as { type: string }).type;
      }
    }
  }
  return streams;
}

async function logPositions(client: EventStoreDBClient): Promise<bigint[]> {
  const positions: bigint[] = [];
  for await (const { event } of client.readAll()) if (!event!.streamId.startsWith('$scavenges')) positions.push(event!.position!.commit);
  return positions;
}

test('a scavenge removes exactly what no reader of a stream sees, while the node serves, and nothing changes for readers and writers', async () => {
  await withNode({ dir: folder.path }, async (client, url) => {
    await fill(client);
    const [before, positions] = [await seen(client), await logPositions(client)];
    const removed = await scavenge('--url', url);
    // s-1: 57 before its last 3; s-2: 50 truncated; s-3 and s-4: all but the last; s-5: all before its tombstone; metadata that was replaced.
    expect(removed).toMatchObject({ result: 'Success', events: 57 + 50 + 59 + 60 + 60 + 1 });
    expect(await seen(client)).toEqual(before);
    const left = await logPositions(client);
    expect(left).toHaveLength(positions.length - removed.events);
    expect(positions).toEqual(expect.arrayContaining(left));
    expect(await verifyStore(folder.path)).toMatchObject({ problemCount: 0 });
    await client.appendToStream('s-3', jsonEvent({ type: 'Again', data: {} }), { expectedRevision: NO_STREAM });
    for await (const { event } of client.readStream('s-3')) expect([event!.revision, event!.position!.commit > positions.at(-1)!]).toEqual([60n, true]);
    await expect(client.appendToStream('s-5', jsonEvent({ type: 'No', data: {} }))).rejects.toMatchObject({ type: 'stream-deleted' });
  });
  expect(await verifyStore(folder.path)).toMatchObject({ problemCount: 0 });
});

test('a store that was scavenged starts again as it was, and a second scavenge finds nothing', async () => {
  const before = await withNode({ dir: folder.path }, async (client) => {
    await fill(client);
    return seen(client);
  });
  expect((await scavenge('--dir', folder.path)).events).toBeGreaterThan(200);
  expect((await scavenge('--dir', folder.path)).events).toBe(0);
  await withNode({ dir: folder.path }, async (client) => expect(await seen(client)).toEqual(before));
});

test('the room that is freed is used again: a stream of the latest values does not make the file grow without end', async () => {
  await withNode({ dir: folder.path }, async (client, url) => {
    await client.setStreamMetadata('latest', { maxCount: 1 });
    const write = async () => {
      for (let i = 0; i < 20; i++) await client.appendToStream('latest', Array.from({ length: 50 }, () => jsonEvent({ type: 'Value', data: { text: 'v'.repeat(4_000) } })));
    };
    const size = () => statSync(join(folder.path, 'events.mdb')).size;
    await write();
    await scavenge('--url', url);
    const once = size();
    for (let i = 0; i < 4; i++) {
      await write();
      await scavenge('--url', url);
    }
    expect(size()).toBeLessThan(2 * once);
    expect(await verifyStore(folder.path)).toMatchObject({ problemCount: 0, problems: [] });
  });
});

test('readers and writers who are busy during a scavenge see every event in order', async () => {
  await withNode({ dir: folder.path }, async (client, url) => {
    await fill(client);
    let scavenging = true;
    const written: string[] = [];
    const writer = (async () => {
      for (let i = 0; scavenging; i++) {
        const event = jsonEvent({ type: 'Busy', data: { i } });
        await client.appendToStream('busy', event, { expectedRevision: i === 0 ? NO_STREAM : BigInt(i - 1) });
        written.push(event.id);
      }
    })();
    const reader = (async () => {
      while (scavenging) {
        let next = 0n;
        for await (const { event } of client.readStream('s-8')) expect(event!.revision).toBe(next++);
        expect(next).toBe(60n);
      }
    })();
    try {
      await scavenge('--url', url);
    } finally {
      scavenging = false;
      await Promise.all([writer, reader]);
    }
    const read: string[] = [];
    for await (const { event } of client.readStream('busy')) read.push(event!.id);
    expect(read).toEqual(written);
  });
});
