import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { jsonEvent, type EventStoreDBClient } from '@eventstore/db-client';
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STORED_AFTER_MS } from '../../../../../src/platform/eventstore/embedded/store/commit-writer.js';
import { Environment } from '../../../../../src/platform/eventstore/embedded/store/environment.js';
import { EventStore } from '../../../../../src/platform/eventstore/embedded/store/event-store.js';
import { entriesIn, sizeOfEntry } from '../../../../../src/platform/eventstore/embedded/store/journal-entry.js';
import { decodeMark, JOURNAL_FILE, JOURNAL_MARK, readJournal } from '../../../../../src/platform/eventstore/embedded/store/journal.js';
import { verifyStore } from '../../../../../src/platform/eventstore/embedded/tools/verify.js';
import { tarl } from '../../../../support/tarl.js';
import { temporaryFolder, withNode } from '../filled.js';

const APPENDS = 12;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
/** A data folder as a kill would leave it. */
let left: string;

beforeEach(async () => {
  keepInJournal();
  folder = await temporaryFolder();
  left = join(folder.path, 'left');
  await withNode({ dir: join(folder.path, 'log') }, async (client) => {
    for (let n = 0; n < APPENDS; n++) await client.appendToStream('s', numbered(n));
    await cp(join(folder.path, 'log'), left, { recursive: true });
    await rm(join(left, 'lock'));
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await folder.remove();
});

/** However long a loaded machine takes to copy a data folder, nothing is stored from the journal meanwhile. */
function keepInJournal(): void {
  const later = globalThis.setTimeout;
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms?: number, ...more: []) => later(run, ms === STORED_AFTER_MS ? 3_600_000 : ms, ...more)) as never);
}

const numbered = (n: number) => jsonEvent({ type: 'Numbered', data: { n } });
const first = (count: number) => Array.from({ length: count }, (_, n) => n);

test('what was acknowledged and not yet stored in the data file is there after a kill, and can be gone on from', async () => {
  expect((await unstored()).length).toBeGreaterThan(0);
  expect(await verifyStore(left)).toMatchObject({ problems: [], events: APPENDS, streams: expect.any(Number) });
  await withNode({ dir: left }, async (client) => {
    expect(await numbers(client)).toEqual(first(APPENDS));
    await client.appendToStream('s', numbered(APPENDS), { expectedRevision: BigInt(APPENDS - 1) });
  });
  await withNode({ dir: left }, async (client) => expect(await numbers(client)).toEqual(first(APPENDS + 1)));
  expect(await verifyStore(left)).toMatchObject({ problems: [], events: APPENDS + 1 });
});

test('a last entry that was torn is as if its append had never been asked for', async () => {
  const { end } = (await unstored()).at(-1)!;
  await overwrite(end - 4096 + 100, Buffer.alloc(200));
  expect(await verifyStore(left)).toMatchObject({ problems: [], events: APPENDS - 1 });
  await withNode({ dir: left }, async (client) => {
    expect(await numbers(client)).toEqual(first(APPENDS - 1));
    await client.appendToStream('s', numbered(APPENDS - 1), { expectedRevision: BigInt(APPENDS - 2) });
    expect(await numbers(client)).toEqual(first(APPENDS));
  });
});

const damage: [string, () => Promise<void>][] = [
  ['with a damaged entry before others', async () => {
    const entry = (await unstored()).at(-2)!;
    await overwrite(entry.end - sizeOfEntry(entry) + 50, Buffer.alloc(40, 0xab));
  }],
  ['cut off', () => truncate(join(left, JOURNAL_FILE), 100_000)],
  ['removed', () => rm(join(left, JOURNAL_FILE))],
];

test.each(damage)('a journal %s is refused in a sentence by the node and by its tools, and nothing is served that would lack what was acknowledged', async (_, harm) => {
  await harm();
  for (const args of [['--port', '0', '--dir', left], ['verify', '--dir', left], ['backup', '--dir', left, '--to', join(folder.path, 'copy')], ['restore', '--from', left, '--dir', join(folder.path, 'again')]]) {
    const command = tarl(['eventstore', ...args]);
    expect(await command.ended).toBe(1);
    expect(command.output.err).toMatch(/^The data file in \S+ is damaged: In the journal, .+\. Restore a backup with `tarl eventstore restore`\.\n$/);
  }
});

test('settings that only the journal holds are there after a kill, those that it removes are not', async () => {
  const dir = join(folder.path, 'settings');
  const store = await EventStore.open(dir);
  await store.set('kept', Buffer.from('stored'));
  await store.set('x/1', Buffer.from('one'));
  await store.set('x/2', Buffer.from('two'));
  await store.set('x/1', undefined);
  await store.set('x/0', Buffer.from('zero'));
  const look = (looked: EventStore) => [looked.setting('kept'), looked.setting('x/1'), ...looked.settings('x/')].map((value) => value?.toString());
  expect(look(store)).toEqual(['stored', undefined, 'zero', 'two']);
  const killed = `${dir}-killed`;
  await cp(dir, killed, { recursive: true });
  await rm(join(killed, 'lock'));
  await store.close();
  const again = await EventStore.open(killed);
  expect(look(again)).toEqual(['stored', undefined, 'zero', 'two']);
  await again.close();
});

test('a backup of what a kill left, and what is restored from it as it is, hold what was acknowledged', async () => {
  for (const [from, to] of [[left, 'restored'], [join(folder.path, 'copy'), 'of-copy']] as const) {
    if (from !== left) expect(await tarl(['eventstore', 'backup', '--dir', left, '--to', from]).ended).toBe(0);
    const restored = join(folder.path, to);
    expect(await tarl(['eventstore', 'restore', '--from', from, '--dir', restored]).ended).toBe(0);
    expect(await verifyStore(restored)).toMatchObject({ problems: [], events: APPENDS });
    await withNode({ dir: restored }, async (client) => expect(await numbers(client)).toEqual(first(APPENDS)));
  }
});

test('a store of the layout before the journal is opened, gone on with, and then refused by the version that would overlook the journal', async () => {
  const old = join(folder.path, 'log');
  await rm(join(old, JOURNAL_FILE));
  await writeFile(join(old, 'layout.json'), '{"layout":1}\n');
  await withNode({ dir: old }, async (client) => {
    await client.appendToStream('s', numbered(APPENDS));
    expect(await numbers(client)).toEqual(first(APPENDS + 1));
  });
  expect(JSON.parse(await readFile(join(old, 'layout.json'), 'utf8'))).toEqual({ layout: 2 });
});

test('a journal that lies beside a data file which was closed is not read', async () => {
  const closed = join(folder.path, 'log');
  await cp(join(left, JOURNAL_FILE), join(closed, JOURNAL_FILE));
  await withNode({ dir: closed }, async (client) => {
    expect(await numbers(client)).toEqual(first(APPENDS));
    await client.appendToStream('s', numbered(APPENDS));
    await client.appendToStream('s', numbered(APPENDS + 1));
  });
  expect(await verifyStore(closed)).toMatchObject({ problems: [], events: APPENDS + 2 });
});

/** What stands in the journal only. */
async function unstored() {
  const environment = Environment.open(left, true);
  const { id, stored } = decodeMark(environment.settings.get(JOURNAL_MARK)!);
  await environment.close();
  return [...entriesIn(readJournal(left)!, id, stored)];
}

async function overwrite(at: number, bytes: Buffer): Promise<void> {
  const file = join(left, JOURNAL_FILE);
  const journal = await readFile(file);
  bytes.copy(journal, at);
  await writeFile(file, journal);
}

async function numbers(client: EventStoreDBClient): Promise<number[]> {
  const out: number[] = [];
  for await (const { event } of client.readStream('s')) out.push((event!.data as { n: number }).n);
  return out;
}
