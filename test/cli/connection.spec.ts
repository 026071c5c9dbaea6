import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findConnection } from '../../src/cli/connection.js';
import { writeLocalRun } from '../../src/cli/local-run.js';
import { readConfig } from '../../src/platform/config/index.js';

const localAddresses = { rest: 'http://127.0.0.1:1', grpc: '127.0.0.1:2', graphql: 'http://127.0.0.1:3/graphql' };
let folder: string;
let inherited: string | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarl-test-connection-'));
  inherited = process.env.XDG_CONFIG_HOME;
  process.env.XDG_CONFIG_HOME = folder;
});
afterEach(async () => {
  if (inherited === undefined) delete process.env.XDG_CONFIG_HOME;
  else process.env.XDG_CONFIG_HOME = inherited;
  await rm(folder, { recursive: true });
});

const config = (env: NodeJS.ProcessEnv = {}) => readConfig({ TARL_DATA_DIR: folder, ...env });

async function platformRuns(): Promise<void> {
  await mkdir(join(folder, 'run'));
  await writeLocalRun(join(folder, 'run'), { addresses: localAddresses, key: 'of this run' });
}

async function profiles(text: string): Promise<void> {
  await mkdir(join(folder, 'tarl'));
  await writeFile(join(folder, 'tarl/config.json'), text);
}

test('beside a running platform a command needs no configuration', async () => {
  await platformRuns();
  expect(await findConnection(config())).toEqual({ addresses: localAddresses, key: 'of this run' });
});

test('a platform that has not written all of its addresses yet does not run yet', async () => {
  await platformRuns();
  await writeFile(join(folder, 'run/local.json'), '{"pid": 1, "addr');
  await expect(findConnection(config())).rejects.toMatchObject({ message: expect.stringContaining('No platform runs on'), exitCode: 5 });
});

test('a profile goes before the local run, and TARL_API_KEY before the profile', async () => {
  await platformRuns();
  await profiles('{"default": {"key": "of the profile"}, "far": {"key": "far key", "grpc": "far:1"}}');
  expect((await findConnection(config())).key).toBe('of the profile');
  expect((await findConnection(config({ TARL_API_KEY: 'of the environment' }))).key).toBe('of the environment');
  expect(await findConnection(config(), 'far')).toEqual({ addresses: { ...localAddresses, grpc: 'far:1' }, key: 'far key' });
  expect((await findConnection(config({ TARL_PROFILE: 'far' }))).key).toBe('far key');
});

test('with a key of its own and no local run a command goes to the usual ports', async () => {
  expect(await findConnection(config({ TARL_API_KEY: 'k', TARL_HTTP_PORT: '9090' }))).toMatchObject({
    addresses: { rest: 'http://127.0.0.1:9090', grpc: '127.0.0.1:50051' },
  });
});

test('without a platform and without a key it says how to get either, with the exit code of "unavailable"', async () => {
  await expect(findConnection(config())).rejects.toMatchObject({ message: expect.stringContaining('tarl up'), exitCode: 5 });
});

test.each(['with a line\nend', 'ключ'])('a key that is none is wrong usage, and is not repeated: %j', async (key) => {
  const refused = await findConnection(config({ TARL_API_KEY: key })).catch((error: unknown) => error);
  expect(refused).toMatchObject({ exitCode: 2, message: expect.stringContaining('TARL_API_KEY') });
  expect((refused as Error).message).not.toContain(key);
});

test('a profile that does not exist, or a damaged file of them, is wrong usage', async () => {
  await profiles('{"near": {}}');
  await expect(findConnection(config(), 'far')).rejects.toMatchObject({ message: expect.stringContaining('it has near'), exitCode: 2 });
  await writeFile(join(folder, 'tarl/config.json'), '{"near": {"port": 1}}');
  await expect(findConnection(config(), 'near')).rejects.toMatchObject({ message: expect.stringContaining('is not a list of profiles'), exitCode: 2 });
});
