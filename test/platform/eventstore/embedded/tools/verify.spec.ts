import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Environment } from '../../../../../src/platform/eventstore/embedded/store/environment.js';
import { verifyStore } from '../../../../../src/platform/eventstore/embedded/tools/verify.js';
import { jsonEvent } from '@eventstore/db-client';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tarl } from '../../../../support/tarl.js';
import { fill, temporaryFolder, withNode } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const filled = () => withNode({ dir: folder.path }, (client) => fill(client));

test('a store is whole while its node runs, after it has stopped, and after it was started again', async () => {
  await withNode({ dir: folder.path }, async (client) => {
    await fill(client);
    // Most of its streams are in no index on the disk yet.
    expect(await verifyStore(folder.path)).toMatchObject({ problemCount: 0, streams: 25, events: 1_209, problems: [] });
  });
  expect(await verifyStore(folder.path)).toMatchObject({ problemCount: 0, streams: 25, events: 1_209 });
  await withNode({ dir: folder.path }, (client) => fill(client, 'more'));
  expect(await verifyStore(folder.path)).toMatchObject({ problemCount: 0, streams: 50, events: 2_418 });
});

test('a single flipped bit of an event is found, named by its position, and ends the command with 1', async () => {
  await filled();
  const file = join(folder.path, 'events.mdb');
  const bytes = await readFile(file);
  // In every page that holds it: an older copy of the block may lie in a page that is free again.
  for (let at = bytes.indexOf('s 7 30 xxx'); at >= 0; at = bytes.indexOf('s 7 30 xxx', at + 10)) bytes[at + 8]! ^= 1;
  await writeFile(file, bytes);
  const command = tarl(['eventstore', 'verify', '--dir', folder.path, '--json']);
  expect(await command.ended).toBe(1);
  const report = JSON.parse(command.output.out) as { problems: string[] };
  expect(report.problems).toEqual(['The event at position 451 does not match its checksum: the data file is damaged.']);
});

test('a flipped byte in the head of a block, a lost block, and an index that does not fit the log are found', async () => {
  await filled();
  const environment = Environment.open(folder.path, true);
  const keys = [...environment.log.getKeys()];
  const damaged = Buffer.from(environment.log.get(keys[2]!)!);
  damaged[20]! ^= 1;
  await environment.log.put(keys[2]!, damaged);
  await environment.log.remove(keys[4]!);
  const [first, second] = [...environment.index.getRange({ limit: 2 })];
  await environment.index.remove(first!.key);
  await environment.index.put(second!.key, Buffer.concat([second!.value.subarray(0, 8), Buffer.from([9, 0, 0, 0])]));
  await environment.names.put(Buffer.from('\u0001nobody'), Buffer.alloc(8, 3));
  await environment.names.remove(Buffer.from('\u0001s-9'));
  await environment.close();
  const { problems } = await verifyStore(folder.path);
  expect(problems).toEqual(expect.arrayContaining([
    `The block of events at position ${keys[2]} does not match its checksum: the data file is damaged.`,
    `The positions from ${keys[4]} to ${keys[5]! - 1} are missing.`,
    'Revision 0 of the stream that begins at position 1 is not in the index.',
    expect.stringMatching(/^The stream s-9, which begins at position \d+, is not found by its name\.$/),
    'The name nobody leads to no stream.',
  ]));
});

test('a file that is damaged in its very structure is reported, and not served', async () => {
  await filled();
  const file = join(folder.path, 'events.mdb');
  const bytes = await readFile(file);
  for (let at = 8192; at < bytes.length; at += 4096) bytes.fill(0xa5, at, at + 64);
  await writeFile(file, bytes);
  const command = tarl(['eventstore', 'verify', '--dir', folder.path]);
  expect(await command.ended).toBe(1);
});

test('a store that a newer version wrote is refused, by the node and by its tools', async () => {
  await filled();
  await writeFile(join(folder.path, 'layout.json'), '{"layout":999}\n');
  for (const args of [['eventstore', '--dir', folder.path, '--port', '0'], ['eventstore', 'verify', '--dir', folder.path], ['eventstore', 'backup', '--dir', folder.path, '--to', join(folder.path, 'b')]]) {
    const command = tarl(args);
    expect(await command.ended).toBe(1);
    expect(command.output.err).toContain('was written by a newer version (layout 999');
  }
});

test('a folder without a store is told as such', async () => {
  const command = tarl(['eventstore', 'verify', '--dir', join(folder.path, 'nothing')]);
  expect(await command.ended).toBe(1);
  expect(command.output.err).toContain('There is no event store in');
});

test('walking through a store of a node that is writing never reports what is merely under way', async () => {
  await withNode({ dir: folder.path }, async (client) => {
    let writing = true;
    const writer = (async () => {
      for (let i = 0; writing; i++) await Promise.all(Array.from({ length: 32 }, (_, n) => client.appendToStream(`w-${i}-${n}`, jsonEvent({ type: 'W', data: { i } }))));
    })();
    try {
      for (let i = 0; i < 10; i++) expect((await verifyStore(folder.path)).problems).toEqual([]);
    } finally {
      writing = false;
      await writer;
    }
  });
});
