import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { jsonEvent, persistentSubscriptionToStreamSettingsFromDefaults, START, type EventStoreDBClient } from '@eventstore/db-client';
import { open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Environment } from '../../../../src/platform/eventstore/embedded/store/environment.js';
import { tarl } from '../../../support/tarl.js';
import { until } from '../../../support/until.js';
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

test('a group ends its readers at an event with a flipped byte, and the node serves the others', async () => {
  await withNode({ dir: folder.path }, async (client) => {
    for (const mark of ['FIRST', 'SECOND']) await client.createPersistentSubscriptionToStream(`s-${mark}`, 'g', persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START }));
  });
  await flip('mark SECOND');
  await withNode({ dir: folder.path }, async (client) => {
    const heard = (mark: string) => new Promise<unknown>((resolve) => client.subscribeToPersistentSubscriptionToStream(`s-${mark}`, 'g').once('data', resolve).once('error', resolve));
    expect(await heard('SECOND')).toMatchObject({ message: expect.stringContaining('does not match its checksum') });
    expect(await heard('FIRST')).toMatchObject({ event: { streamId: 's-FIRST' } });
  });
});

const page = 4096;
const garbled = async (from: number, to: number) => {
  const file = await open(join(folder.path, 'events.mdb'), 'r+');
  await file.write(Buffer.alloc((to - from) * page, 0xab), 0, undefined, from * page);
  await file.close();
};
const cutTo = (bytes: (size: number) => number) => async () => truncate(join(folder.path, 'events.mdb'), bytes((await stat(join(folder.path, 'events.mdb'))).size));

test.each<[string, () => Promise<void>]>([
  ['cut in half', cutTo((size) => Math.floor(size / 2))],
  ['cut to its first page', cutTo(() => page)],
  ['emptied', cutTo(() => 0)],
  ['removed', () => rm(join(folder.path, 'events.mdb'))],
  ['garbled at its head', () => garbled(0, 2)],
])('a data file that was %s is refused in a sentence, and the node neither crashes over it nor begins a new one', async (_, damage) => {
  await damage();
  const started = tarl(['eventstore', '--dir', folder.path, '--port', '0']);
  expect(await started.ended).toBe(1);
  expect(started.output.err).toMatch(/^The data file in \S+ is damaged: .+\. Restore a backup with `tarl eventstore restore`\.\n$/);
  const verified = tarl(['eventstore', 'verify', '--dir', folder.path]);
  expect(await verified.ended).toBe(1);
});

test('a block with a damaged head does not keep the node from serving the others', async () => {
  const environment = Environment.open(folder.path, true);
  const [first] = [...environment.log.getKeys()];
  const block = Buffer.from(environment.log.get(first!)!);
  block[20]! ^= 1;
  await environment.log.put(first!, block);
  await environment.close();
  await withNode({ dir: folder.path, projections: true }, async (client) => {
    await expect(marks(client, 's-FIRST')).rejects.toThrow('does not match its checksum');
    expect(await marks(client, 's-THIRD')).toHaveLength(1);
    await expect(client.appendToStream('s-FOURTH', jsonEvent({ type: 'Marked', data: {} }))).resolves.toMatchObject({ success: true });
    // The system projections link what can be read.
    await until('the links are there', async () => (await marks(client, '$ce-s').catch(() => [])).length === 3);
  });
});

test('the file grows by itself, and what was written before it grew stays readable', async () => {
  await withNode({ dir: folder.path }, async (client) => {
    const size = async () => (await stat(join(folder.path, 'events.mdb'))).size;
    const before = await size();
    for (let n = 0; n < 24; n++) await client.appendToStream('much', Array.from({ length: 200 }, () => jsonEvent({ type: 'Much', data: { fill: 'x'.repeat(4_000) } })));
    expect(await size()).toBeGreaterThan(10 * before);
    for (const mark of ['FIRST', 'SECOND', 'THIRD']) expect(await marks(client, `s-${mark}`)).toHaveLength(1);
    expect(await marks(client, 'much')).toHaveLength(4_800);
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
