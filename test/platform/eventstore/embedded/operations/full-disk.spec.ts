import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyStore } from '../../../../../src/platform/eventstore/embedded/tools/verify.js';
import { tarl, type TarlProcess } from '../../../../support/tarl.js';
import { until } from '../../../../support/until.js';
import { temporaryFolder } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let node: TarlProcess | undefined;
let isMounted = false;

beforeEach(async () => {
  folder = await temporaryFolder();
  isMounted = mount(folder.path);
});
afterEach(async () => {
  node?.child.kill('SIGKILL');
  await node?.ended;
  if (isMounted) execFileSync('umount', [folder.path]);
  await folder.remove();
});

/** A disk of 16 MiB; only root may make one. */
function mount(path: string): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // Root in a container often may not.
    if ((error as { status?: number }).status !== undefined) return false;
    throw error;
  }
}

test('a full disk refuses appends in a sentence and loses nothing, reads go on, and so do appends when there is room', async () => {
  if (!isMounted) return console.warn('Left out: this user cannot mount a small disk.');
  const ballast = join(folder.path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(6 * 1024 * 1024));
  node = tarl(['eventstore', '--dir', join(folder.path, 'log'), '--port', '0', '--json']);
  const line = await until('the node is ready', () => /^\{.*\}$/m.exec(node!.output.out)?.[0]);
  const client = EventStoreDBClient.connectionString((JSON.parse(line) as { connectionString: string }).connectionString);
  const append = (n: number) => client.appendToStream('s', jsonEvent({ type: 'T', data: { n, text: 'x'.repeat(100_000) } }), { expectedRevision: n === 0 ? NO_STREAM : BigInt(n - 1) });
  let acknowledged = 0;
  let refusal: Error | undefined;
  while (refusal === undefined && acknowledged < 1_000) {
    await append(acknowledged).then(
      () => acknowledged++,
      (error: Error) => (refusal = error),
    );
  }
  expect(refusal?.message).toContain('There is no room left on the disk');
  await expect(append(acknowledged)).rejects.toThrow('There is no room left on the disk');
  const revisions = async () => {
    const found: number[] = [];
    for await (const { event } of client.readStream('s')) found.push(Number(event!.revision));
    return found;
  };
  expect(await revisions()).toEqual(Array.from({ length: acknowledged }, (_, n) => n));

  rmSync(ballast);
  for (let n = 0; n < 5; n++) await append(acknowledged++);
  expect(await revisions()).toEqual(Array.from({ length: acknowledged }, (_, n) => n));
  await client.dispose();
  node.child.kill('SIGTERM');
  expect(await node.ended).toBe(0);
  expect((await verifyStore(join(folder.path, 'log'))).problems).toEqual([]);
});
