import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { tarl, type TarlOptions, type TarlProcess } from '../../../../support/tarl.js';
import { until } from '../../../../support/until.js';
import { MEMORY_FLAGS } from '../../../../../src/platform/eventstore/embedded/memory-flags.js';
import { selfSigned } from '../../self-signed.js';
import { temporaryFolder } from '../filled.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let node: TarlProcess | undefined;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  node?.child.kill('SIGTERM');
  await node?.ended;
  node = undefined;
  await folder.remove();
});

async function start({ wrapped }: TarlOptions, ...args: string[]): Promise<string> {
  node = tarl(['eventstore', ...args, '--port', '0', '--json'], { wrapped });
  const line = await until('the node is ready', () => /^\{.*\}$/m.exec(node!.output.out)?.[0]);
  return (JSON.parse(line) as { connectionString: string }).connectionString;
}

test('a node without a folder keeps nothing, serves any client, and stops when asked to', async () => {
  const client = EventStoreDBClient.connectionString(await start({}, '--mem'));
  await expect(client.appendToStream('s', jsonEvent({ type: 'T', data: {} }))).resolves.toMatchObject({ success: true });
  await client.dispose();
  node!.child.kill('SIGTERM');
  expect(await node!.ended).toBe(0);
});

test('the command runs a node within the bounds of its memory', async () => {
  await start({ wrapped: true }, '--mem');
  const [child] = readFileSync(`/proc/${node!.pid}/task/${node!.pid}/children`, 'utf8').split(' ');
  expect(readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0')).toEqual(expect.arrayContaining([...MEMORY_FLAGS]));
});

test('a node with a certificate asks users to log in, and its first passwords can be changed from the command line', async () => {
  const { certificate, key } = selfSigned();
  const [cert, keyFile] = [join(folder.path, 'node.crt'), join(folder.path, 'node.key')];
  await Promise.all([writeFile(cert, certificate), writeFile(keyFile, key)]);
  const { port } = new URL((await start({}, '--dir', join(folder.path, 'log'), '--tls-cert', cert, '--tls-key', keyFile)).replace('esdb:', 'http:'));
  const url = (password: string) => `esdb://admin:${password}@localhost:${port}?tlsCAFile=${encodeURIComponent(cert)}`;
  const change = spawn(resolve('node_modules/node/bin/node'), [resolve('dist/src/cli/main.js'), 'eventstore', 'password', 'admin', '--url', url('changeit')], { stdio: ['pipe', 'ignore', 'inherit'] });
  change.stdin.end('much better\n');
  expect(await once(change, 'exit')).toEqual([0, null]);
  const scavenge = tarl(['eventstore', 'scavenge', '--url', url('changeit')]);
  expect(await scavenge.ended).toBe(3);
  expect(scavenge.output.err).toBe('The event store denied access\n');
  expect(await tarl(['eventstore', 'scavenge', '--url', url(encodeURIComponent('much better'))]).ended).toBe(0);
});

test('a node is not opened to a network in the clear by accident', async () => {
  for (const args of [['--mem', '--host', '0.0.0.0'], ['--mem', '--tls-cert', 'a.pem'], [], ['--mem', '--dir', folder.path]]) {
    const refused = tarl(['eventstore', ...args, '--port', '0']);
    expect(await refused.ended).toBe(2);
    expect(refused.output.err.trim().split('\n')).toHaveLength(1);
  }
});

test('a folder that cannot be made is told in one sentence, with exit code 1', async () => {
  await writeFile(join(folder.path, 'file'), '');
  const refused = tarl(['eventstore', 'up', '--dir', join(folder.path, 'file/log')]);
  expect(await refused.ended).toBe(1);
  expect(refused.output.err).toBe(`The system refuses: ENOTDIR: not a directory, mkdir '${join(folder.path, 'file/log')}'.\n`);
});

test('a key that is not that of the certificate is told in one sentence, with exit code 2', async () => {
  const [cert, key] = [join(folder.path, 'node.crt'), join(folder.path, 'other.key')];
  await Promise.all([writeFile(cert, selfSigned().certificate), writeFile(key, selfSigned().key)]);
  const refused = tarl(['eventstore', '--mem', '--port', '0', '--tls-cert', cert, '--tls-key', key]);
  expect(await refused.ended).toBe(2);
  expect(refused.output.err).toMatch(/^The certificate and its key cannot be used: .+\.\n$/);
});

test('a certificate that has expired is told in one sentence, with exit code 2: no client would take it', async () => {
  const { certificate, key } = selfSigned(2026);
  const [cert, keyFile] = [join(folder.path, 'node.crt'), join(folder.path, 'node.key')];
  await Promise.all([writeFile(cert, certificate), writeFile(keyFile, key)]);
  node = tarl(['eventstore', '--mem', '--port', '0', '--tls-cert', cert, '--tls-key', keyFile]);
  await until('the node has said something', () => node!.output.out || node!.output.err);
  expect(node.output.err).toBe('The certificate cannot be used: it expired on 2026-01-01T00:00:00.000Z.\n');
  expect(await node.ended).toBe(2);
});
