import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testPlatform, type TestPlatform } from '../api/support/platform.js';
import { ownerKey } from '../api/support/memory-core.js';
import { runTarl } from './run.js';

let platform: TestPlatform;
let home: string;
beforeAll(async () => {
  platform = await testPlatform();
  home = await mkdtemp(join(tmpdir(), 'tarl-test-cli-'));
  await mkdir(join(home, 'tarl'));
  await writeFile(join(home, 'tarl/config.json'), JSON.stringify({ default: { rest: platform.addresses.rest, key: ownerKey } }));
  for (const project of ['a', 'b']) await platform.rest('/api/v1/projects', { project, description: 'd' });
  await platform.rest('/api/v1/projects/a:describe', { description: 'other' });
});
afterAll(async () => {
  await platform.close();
  await rm(home, { recursive: true });
});
const tarl = (...args: string[]) => runTarl(args, { env: { XDG_CONFIG_HOME: home, TARL_DATA_DIR: join(home, 'no-data') } });
const linesOf = (text: string) => text.split('\n').slice(0, -1).map((line) => JSON.parse(line));

test('tarl replay prints the chosen events as lines of JSON, with the state after each, and counts them on standard error', async () => {
  const { code, stdout, stderr } = await tarl('replay', '--filter', 'stream=project-a', '--filter', 'type=ProjectCreated', '--filter', 'type=ProjectDescribed', '--state');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '2 events\n' });
  expect(linesOf(stdout).map(({ type, state }) => ({ type, state }))).toEqual([
    { type: 'ProjectCreated', state: { status: 'active', description: 'd' } },
    { type: 'ProjectDescribed', state: { status: 'active', description: 'other' } },
  ]);
});

test('tarl replay goes on after a position that it has printed', async () => {
  const all = linesOf((await tarl('replay')).stdout);
  const [, second] = all;
  expect(linesOf((await tarl('replay', '--from', second.position)).stdout).map(({ position }) => position)).toEqual(all.slice(2).map(({ position }) => position));
});

test('tarl replay --effects also tells what came of it later', async () => {
  const same = { 'tarl-correlation-id': 'c-9' };
  await platform.rest('/api/v1/projects', { project: 'c', description: 'd' }, same);
  await platform.rest('/api/v1/projects/a:archive', { reason: 'replaced by c' }, same);
  const chosen = ['replay', '--filter', 'stream=project-c'];
  expect(linesOf((await tarl(...chosen)).stdout).map(({ type }) => type)).toEqual(['ProjectCreated']);
  expect(linesOf((await tarl(...chosen, '--effects')).stdout).map(({ type }) => type)).toEqual(['ProjectCreated', 'ProjectArchived']);
});

test('a place that is none, and a filter that is none, are refused with what would do', async () => {
  expect(await tarl('replay', '--from', 'yesterday')).toMatchObject({ code: 3, stderr: expect.stringContaining('takes a position of the log, or a time such as') });
  expect(await tarl('replay', '--filter', 'colour=red')).toMatchObject({ code: 2, stderr: expect.stringContaining('Takes one of type=…') });
});

test('the log is told to nobody without the permission', async () => {
  const answer = await fetch(`${platform.addresses.rest}/api/v1/replay`, { headers: { authorization: 'Bearer tarl_aaaaaaaa_wrong' } });
  expect(answer.status).toBe(401);
});
