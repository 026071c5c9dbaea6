import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readLocalRun } from '../../src/cli/local-run.js';
import { testEventStore } from '../support/eventstore.js';
import { testDatabase } from '../support/postgres.js';
import { processesWith } from '../support/processes.js';
import { dataFolder, tarl, tarlUp } from '../support/tarl.js';
import { until } from '../support/until.js';

let data: Awaited<ReturnType<typeof dataFolder>>;
beforeEach(async () => {
  data = await dataFolder();
});
afterEach(async () => {
  await until('nothing of the test runs', () => processesWith(data.path).length === 0);
  await data.remove();
});

/** A data folder as one sees it whose TARL is about to end: locked, and without addresses. */
function heldFolder(path: string): DatabaseSync & Disposable {
  const lock = new DatabaseSync(join(path, 'lock'));
  lock.exec('pragma journal_mode = memory; begin exclusive');
  return lock;
}

const nobody = 65_534;
/** Whether this checkout stands where another user can run it; a private folder of root's own is none. */
const othersReachUs = spawnSync(process.execPath, ['--version'], { uid: nobody, gid: nobody }).status === 0;
const users: [string, number | undefined, typeof test.skip][] = process.getuid?.() === 0
  ? [['root, in a folder that only root can reach', undefined, test], ['an ordinary user', nobody, othersReachUs ? test : test.skip]]
  : [['an ordinary user', undefined, test]];

describe.each(users)('as %s', (_who, uid, test) => {
  beforeEach(async () => {
    await data.remove();
    data = await dataFolder(uid);
  });

  test('the platform starts, stops at Ctrl-C with nothing left, and starts again on its data', async () => {
    const first = await tarlUp(data.path, { uid });
    expect(first.ownerKey).toEqual(expect.any(String));
    expect(await readLocalRun(data.path)).toMatchObject({ addresses: first.addresses, key: expect.any(String) });
    expect(await first.stop()).toBe(0);
    expect(processesWith(data.path)).toEqual([]);
    expect(await readLocalRun(data.path)).toBeUndefined();

    const second = await tarlUp(data.path, { uid });
    expect(second.ownerKey).toBeUndefined();
    expect(await second.stop()).toBe(0);
  });

  test('a killed platform leaves no process behind, and the next start recovers', async () => {
    const killed = await tarlUp(data.path, { uid });
    killed.child.kill('SIGKILL');
    const next = await tarlUp(data.path, { uid });
    next.child.kill('SIGKILL');
    await until('the stores noticed', () => processesWith(data.path).length === 0);
  });
});

test('Ctrl-C while it still starts ends it with nothing left', async () => {
  const starting = tarl(['up'], { env: { TARL_DATA_DIR: data.path } });
  await until('a store starts', () => processesWith(data.path).length > 0);
  starting.child.kill('SIGINT');
  expect(await starting.ended).toBe(0);
});

test('Ctrl-C while it waits for the TARL before it ends it at once', async () => {
  await mkdir(data.path);
  using before = heldFolder(data.path);
  const waiting = tarl(['up'], { env: { TARL_DATA_DIR: data.path } });
  await until('it says what it waits for', () => waiting.output.err.includes('Waiting for the TARL before this one to end'));
  waiting.child.kill('SIGINT');
  expect(await waiting.ended).toBe(0);
  expect(waiting.output.err).not.toContain('Another TARL is running');
  expect(before.isOpen).toBe(true);
});

test('one Ctrl-C that arrives several times, from the terminal and from npm, still stops in order', async () => {
  const running = await tarlUp(data.path);
  for (let i = 0; i < 3; i++) running.child.kill('SIGINT');
  expect(await running.ended).toBe(0);
});

test.each([['SIGINT', 0], ['SIGKILL', 'SIGKILL']] as const)('a %s that reaches only the wrapper ends the platform too', async (signal, end) => {
  const running = await tarlUp(data.path, { wrapped: true });
  running.child.kill(signal);
  expect(await running.ended).toBe(end);
  await until('nothing is left', () => processesWith(data.path).length === 0 && !existsSync(join(data.path, 'run/local.json')));
});

test('a store that dies is started again', async () => {
  const running = await tarlUp(data.path);
  const postgres = () => processesWith(`postgres -D ${join(data.path, 'postgres/data')}`).map((line) => Number.parseInt(line, 10));
  const [before] = postgres();
  process.kill(before!, 'SIGKILL');
  await until('another Postgres runs', () => postgres().some((pid) => pid !== before));
  expect(await running.stop()).toBe(0);
});

test('--roles says what a process does, whatever the setting: one that only answers projects nothing, until one comes that does', async () => {
  const [store, database, elsewhere] = await Promise.all([testEventStore(), testDatabase(), dataFolder()]);
  const stores = { TARL_EVENTSTORE_URL: store.url, TARL_POSTGRES_URL: database.url };
  const api = await tarlUp(data.path, { args: ['--roles', 'api'], env: { ...stores, TARL_ROLES: 'projector', TARL_MIN_POSITION_WAIT_MS: '2000' } });
  const { key } = (await readLocalRun(data.path))!;
  const ask = (address: string, path: string, init: RequestInit = {}) => fetch(address + path, { ...init, headers: { authorization: `Bearer ${key}`, ...init.headers } });
  const created = await ask(api.addresses.rest, '/api/v1/projects', { method: 'POST', body: JSON.stringify({ project: 'fraud', description: '' }), headers: { 'content-type': 'application/json' } });
  const written = { headers: { 'tarl-min-position': created.headers.get('tarl-position')! } };
  const owners = async () => ((await (await ask(api.addresses.rest, '/api/v1/projections')).json()) as { projections: { slices: { owner?: string }[] }[] }).projections.flatMap(({ slices }) => slices.map(({ owner }) => owner));
  expect((await ask(api.addresses.rest, '/api/v1/projects/fraud', written)).status).toBe(503);
  expect(new Set(await owners())).toEqual(new Set([undefined]));

  const projector = await tarlUp(elsewhere.path, { args: ['--roles', 'projector'], env: stores });
  await until('it is projected', async () => (await ask(api.addresses.rest, '/api/v1/projects/fraud', written)).status === 200);
  await until('one process keeps all', async () => new Set(await owners()).size === 1);
  expect((await owners())[0]).toContain(`:${projector.pid}`);
  expect(Object.keys(projector.addresses)).toEqual(['rest']);
  expect((await ask(projector.addresses.rest, '/api/v1/projects/fraud')).status).not.toBe(200);
  expect(await readLocalRun(elsewhere.path)).toBeUndefined();

  expect([await projector.stop(), await api.stop()]).toEqual([0, 0]);
  await Promise.all([store.close(), database.drop(), elsewhere.remove()]);
});

describe('says in one sentence why it cannot start, with exit code 1 and nothing left running:', () => {
  async function refusal(env: NodeJS.ProcessEnv): Promise<string> {
    const refused = tarl(['up'], { env: { TARL_DATA_DIR: data.path, ...env } });
    expect(await refused.ended).toBe(1);
    // On a slow machine it says meanwhile what it is at.
    return refused.output.err.replaceAll(/^.*… \d+ s\n/gm, '').trim();
  }

  test.each(['TARL_HTTP_PORT', 'TARL_GRPC_PORT', 'TARL_GRAPHQL_PORT', 'TARL_EVENTSTORE_PORT', 'TARL_POSTGRES_PORT'])('a port in use, %s', async (variable) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => other.once('listening', listening));
    const { port } = other.address() as AddressInfo;
    expect(await refusal({ [variable]: String(port) })).toBe(
      `Port ${port} on 127.0.0.1 is in use: stop what uses it, or choose another one with ${variable}.`,
    );
    other.close();
  });

  test('a wrong setting', async () => {
    expect(await refusal({ TARL_HTTP_PORT: 'eighty' })).toBe('TARL_HTTP_PORT cannot be "eighty": it takes a whole number from 0 to 65535.');
  });

  test('a host that is none of this machine\'s, once for all its ports', async () => {
    const ports = { TARL_HTTP_PORT: '1081', TARL_GRPC_PORT: '1082', TARL_GRAPHQL_PORT: '1083' };
    for (const chosen of [ports, {}]) expect(await refusal({ TARL_HOST: '192.0.2.1', ...chosen })).toBe('192.0.2.1 is not an address of this machine: correct TARL_HOST.');
    expect(await refusal({ TARL_HOST: 'nowhere.invalid' })).toBe('nowhere.invalid is not an address of this machine: correct TARL_HOST.');
  });

  test.each([
    ['a Postgres that does not answer', { TARL_POSTGRES_URL: 'postgres://someone:secret@127.0.0.1:1/tarl' }, 'The Postgres of TARL_POSTGRES_URL cannot be used: connect ECONNREFUSED 127.0.0.1:1.'],
    ['an event store that does not answer', { TARL_EVENTSTORE_URL: 'esdb://someone:secret@127.0.0.1:1?tls=false' }, 'The event store of TARL_EVENTSTORE_URL cannot be used: connect ECONNREFUSED 127.0.0.1:1.'],
  ])('%s', async (_what, env, sentence) => {
    expect(await refusal(env)).toBe(sentence);
  });

  test('a role that there is not', async () => {
    const refused = tarl(['up', '--roles', 'api,cook'], { env: { TARL_DATA_DIR: data.path } });
    expect(await refused.ended).toBe(1);
    expect(refused.output.err.trim()).toBe('TARL_ROLES cannot be "api,cook": it takes one or more of api, projector, worker, separated by commas.');
  });

  test('a data folder that a newer TARL wrote', async () => {
    await mkdir(data.path);
    await writeFile(join(data.path, 'layout'), '99\n');
    expect(await refusal({})).toBe(
      `${data.path} was written by a newer TARL (layout 99; this one knows 1): use that version, or choose another folder with TARL_DATA_DIR.`,
    );
  });

  test.each([
    ['a file', async () => writeFile(data.path, '').then(() => data.path), (path: string) => `${path} is a file, or lies within one`],
    ['below a file', async () => writeFile(data.path, '').then(() => join(data.path, 'below/it')), (path: string) => `${path} is a file, or lies within one`],
    ['of a name that is too long', () => join(data.path, 'x'.repeat(300)), (path: string) => `The path of the data folder is too long for this system (${path.length} bytes)`],
    ['of a path that is too long for its lock', () => join(data.path, 'x'.repeat(200), 'y'.repeat(200), 'z'.repeat(100)), (path: string) => `The path of the data folder is too long for this system (${path.length} bytes)`],
    ['at a link in a circle', async () => symlink(data.path, data.path).then(() => data.path), (path: string) => `No folder can be made at ${path}`],
    ...(existsSync('/proc/self') ? [['where the system makes none', () => '/proc/tarl', (path: string) => `No folder can be made at ${path}`] as const] : []),
  ] as const)('a data folder %s', async (_what, make, sentence) => {
    const path = await make();
    expect(await refusal({ TARL_DATA_DIR: path })).toBe(`${sentence(path)}: choose another folder with TARL_DATA_DIR.`);
  });

  (process.getuid?.() !== 0 || othersReachUs ? test : test.skip)('a data folder that this user may not write', async () => {
    const uid = process.getuid?.() === 0 ? nobody : undefined;
    await mkdir(data.path, { mode: 0o555 });
    await chmod(dirname(data.path), 0o755);
    const refused = tarl(['up'], { env: { TARL_DATA_DIR: data.path }, uid });
    expect(await refused.ended).toBe(1);
    expect(refused.output.err.trim()).toBe(`This user cannot write into ${data.path}: choose another folder with TARL_DATA_DIR.`);
  });

  test('a data folder that another TARL uses', async () => {
    const running = await tarlUp(data.path);
    expect(await refusal({})).toBe(`Another TARL is running on ${data.path}: stop it, or choose another folder with TARL_DATA_DIR.`);
    await running.stop();
  });
});
