import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryFolder } from './filled.js';
import { NodeProcess } from './node-process.js';
import { seeded } from './seeded.js';

const RUNS = Number(process.env['TARL_CRASH_RUNS'] ?? 20);
const WRITERS = 16;

/** What the writers were told: by stream, the id that stands on each acknowledged revision. */
type Acknowledged = Map<string, Map<number, string>>;

/** Runs on one store, which is read from end to end after each kill: more of them would mostly read. */
const ON_ONE_STORE = 20;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(() => folder.remove());

const stores = Array.from({ length: Math.ceil(RUNS / ON_ONE_STORE) }, (_, store) => [store * ON_ONE_STORE, Math.min(RUNS, (store + 1) * ON_ONE_STORE)] as const);

test.each(stores)('killed at a random moment, seeds %i to %i, the node still has every acknowledged append, in order and once', async (from, to) => {
  const acknowledged: Acknowledged = new Map();
  for (let run = from; run < to; run++) {
    const random = seeded(run + 1);
    const node = await NodeProcess.start(folder.path);
    const client = EventStoreDBClient.connectionString(node.url);
    await expectAll(client, acknowledged);
    const writing = writeUntilKilled(client, random, acknowledged);
    await pause(10 + random(120));
    await node.kill();
    await writing;
    await client.dispose();
  }
  const node = await NodeProcess.start(folder.path);
  const client = EventStoreDBClient.connectionString(node.url);
  await expectAll(client, acknowledged);
  await client.dispose();
  expect(await node.stop()).toBe(0);
}, 60_000 + ON_ONE_STORE * 20_000);

/** Appends of one to five events to a few streams, many at once, until the first of them fails. */
async function writeUntilKilled(client: EventStoreDBClient, random: (below: number) => number, acknowledged: Acknowledged): Promise<void> {
  let isKilled = false;
  const writer = async () => {
    while (!isKilled) {
      const stream = `crash-${random(8)}`;
      const ids = Array.from({ length: 1 + random(5) }, () => randomUUID());
      // The size of the append stands in each of its events: a part of it would show.
      const events = ids.map((id, at) => jsonEvent({ id, type: 'Written', data: { at, of: ids.length, fill: 'x'.repeat(random(600)) } }));
      try {
        const { nextExpectedRevision } = await client.appendToStream(stream, events);
        const known = acknowledged.get(stream) ?? new Map<number, string>();
        acknowledged.set(stream, known);
        for (const [at, id] of ids.entries()) known.set(Number(nextExpectedRevision) - ids.length + 1 + at, id);
      } catch (error) {
        // Which error it is depends on where the kill met the append; none of them is an answer.
        expect(error).toBeInstanceOf(Error);
        isKilled = true;
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}

async function expectAll(client: EventStoreDBClient, acknowledged: Acknowledged): Promise<void> {
  const log = new Map<string, string[]>();
  let last = -1n;
  const seen = new Set<string>();
  for await (const { event } of client.readAll()) {
    expect(event!.position.commit > last).toBe(true);
    last = event!.position.commit;
    expect(seen.has(event!.id)).toBe(false);
    seen.add(event!.id);
    const ids = log.get(event!.streamId) ?? [];
    log.set(event!.streamId, ids);
    expect(Number(event!.revision)).toBe(ids.length);
    ids.push(event!.id);
  }
  for (const [stream, known] of acknowledged) {
    const events: { id: string; data: { at: number; of: number } }[] = [];
    for await (const { event } of client.readStream(stream)) events.push(event as never);
    expect(events.map((event) => event.id)).toEqual(log.get(stream));
    for (const [revision, id] of known) expect(events[revision]?.id).toBe(id);
    expectWhole(events.map((event) => event.data));
  }
}

/** Every append is there with all of its events. */
function expectWhole(data: readonly { at: number; of: number }[]): void {
  let expected = 0;
  for (const { at, of } of data) {
    expect(at).toBe(expected);
    expected = at + 1 === of ? 0 : at + 1;
  }
  expect(expected).toBe(0);
}
