import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { jsonEvent } from '@eventstore/db-client';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyStore } from '../../../../../src/platform/eventstore/embedded/tools/verify.js';
import { tarl } from '../../../../support/tarl.js';
import { fill, temporaryFolder, withNode } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const inFolder = (name: string) => join(folder.path, name);

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test('a backup of a running node holds everything acknowledged before it, and is restored as it was', async () => {
  let acknowledgedAfter = 0;
  await withNode({ dir: inFolder('log') }, async (client) => {
    await fill(client);
    let writing = true;
    const writer = (async () => {
      for (; writing; acknowledgedAfter++) await client.appendToStream('later', jsonEvent({ type: 'Later', data: {} }));
    })();
    const copying = tarl(['eventstore', 'backup', '--dir', inFolder('log'), '--to', inFolder('copy')]);
    expect([await copying.ended, copying.output.err]).toEqual([0, '']);
    writing = false;
    await writer;
  });
  expect(await verifyStore(inFolder('copy'))).toMatchObject({ problemCount: 0 });
  const restoring = tarl(['eventstore', 'restore', '--from', inFolder('copy'), '--dir', inFolder('again')]);
  expect([await restoring.ended, restoring.output.err]).toEqual([0, '']);
  await withNode({ dir: inFolder('again') }, async (client) => {
    const revisions: bigint[] = [];
    for await (const { event } of client.readStream('s-7')) revisions.push(event!.revision);
    expect(revisions).toEqual(Array.from({ length: 60 }, (_, n) => BigInt(n)));
    await expect(client.appendToStream('s-5', jsonEvent({ type: 'No', data: {} }))).rejects.toMatchObject({ type: 'stream-deleted' });
    await client.appendToStream('s-7', jsonEvent({ type: 'On', data: {} }), { expectedRevision: 59n });
  });
});

test('a damaged backup is not restored, and no folder with anything in it is written over', async () => {
  await withNode({ dir: inFolder('log') }, (client) => fill(client));
  expect(await tarl(['eventstore', 'backup', '--dir', inFolder('log'), '--to', inFolder('copy')]).ended).toBe(0);
  const overwriting = tarl(['eventstore', 'restore', '--from', inFolder('copy'), '--dir', inFolder('log')]);
  expect(await overwriting.ended).toBe(1);
  expect(overwriting.output.err).toContain('is not empty');

  const bytes = await readFile(inFolder('copy/events.mdb'));
  bytes[bytes.indexOf('s 7 30 xxx')]! ^= 1;
  await writeFile(inFolder('copy/events.mdb'), bytes);
  const damaged = tarl(['eventstore', 'restore', '--from', inFolder('copy'), '--dir', inFolder('again')]);
  expect(await damaged.ended).toBe(1);
  expect(damaged.output.err).toContain('is damaged: The event at position 451');
});
