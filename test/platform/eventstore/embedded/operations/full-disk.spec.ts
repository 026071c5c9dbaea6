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

/** Starts a node on the small disk. */
async function started(): Promise<EventStoreDBClient> {
  node = tarl(['eventstore', '--dir', join(folder.path, 'log'), '--port', '0', '--json']);
  const line = await until('the node is ready', () => /^\{.*\}$/m.exec(node!.output.out)?.[0]);
  return EventStoreDBClient.connectionString((JSON.parse(line) as { connectionString: string }).connectionString);
}

const append = (client: EventStoreDBClient, n: number) => client.appendToStream('s', jsonEvent({ type: 'T', data: { n, text: 'x'.repeat(100_000) } }), { expectedRevision: n === 0 ? NO_STREAM : BigInt(n - 1) });

/** Appends until the disk is full; how many were acknowledged, and what the next was told. */
async function appendUntilFull(client: EventStoreDBClient): Promise<{ acknowledged: number; refusal: Error | undefined }> {
  for (let acknowledged = 0; acknowledged < 1_000; acknowledged++) {
    const refusal = await append(client, acknowledged).then(() => undefined, (error: Error) => error);
    if (refusal !== undefined) return { acknowledged, refusal };
  }
  return { acknowledged: 1_000, refusal: undefined };
}

async function revisions(client: EventStoreDBClient): Promise<number[]> {
  const found: number[] = [];
  for await (const { event } of client.readStream('s')) found.push(Number(event!.revision));
  return found;
}

const first = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test('a full disk refuses appends in a sentence and loses nothing, reads go on, and so do appends when there is room', async () => {
  if (!isMounted) return console.warn('Left out: this user cannot mount a small disk.');
  const ballast = join(folder.path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(6 * 1024 * 1024));
  const client = await started();
  let { acknowledged, refusal } = await appendUntilFull(client);
  expect(refusal?.message).toContain('There is no room left on the disk');
  await expect(append(client, acknowledged)).rejects.toThrow('There is no room left on the disk');
  expect(await revisions(client)).toEqual(first(acknowledged));

  rmSync(ballast);
  for (let n = 0; n < 5; n++) await append(client, acknowledged++);
  expect(await revisions(client)).toEqual(first(acknowledged));
  await client.dispose();
  node!.child.kill('SIGTERM');
  expect(await node!.ended).toBe(0);
  expect((await verifyStore(join(folder.path, 'log'))).problems).toEqual([]);
});

test.each(['SIGKILL', 'SIGTERM'] as const)('a node that ends by %s on a full disk loses nothing of what only its journal holds, and goes on when there is room', async (signal) => {
  if (!isMounted) return console.warn('Left out: this user cannot mount a small disk.');
  const ballast = join(folder.path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(6 * 1024 * 1024));
  const full = await started();
  const { acknowledged } = await appendUntilFull(full);
  await full.dispose();
  node!.child.kill(signal);
  await node!.ended;

  const again = await started();
  expect(await revisions(again)).toEqual(first(acknowledged));
  rmSync(ballast);
  await until('there is room for the next append', () => append(again, acknowledged).then(() => true, () => false));
  expect(await revisions(again)).toEqual(first(acknowledged + 1));
  await again.dispose();
  node!.child.kill('SIGTERM');
  expect(await node!.ended).toBe(0);
  expect((await verifyStore(join(folder.path, 'log'))).problems).toEqual([]);
});
