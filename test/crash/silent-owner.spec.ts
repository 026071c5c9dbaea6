import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Position, StoredEvent } from '../../src/platform/eventstore/port.js';
import type { ProjectionEngine } from '../../src/projections/engine/index.js';
import { memberLock } from '../../src/projections/engine/locks.js';
import { countersView, foldOfLog } from '../projections/engine/counters.js';
import { engineWorld, type EngineWorld } from '../projections/engine/world.js';
import { shakyWay } from '../support/shaky-way.js';
import { until } from '../support/until.js';

const projector = fileURLToPath(new URL('../support/projector.mjs', import.meta.url));
const counters = countersView();
const children: ChildProcess[] = [];
let world: EngineWorld;
let operator: ProjectionEngine;
beforeEach(async () => {
  world = await engineWorld([counters]);
  operator = world.engine([counters], { projects: false });
});
afterEach(async () => {
  for (const child of [...children]) await kill(child);
  await world.close();
});

const raise = async (by: number, counter = 'a'): Promise<Position> => (await world.append(`counter-${counter}`, ['CounterRaised', { counter, by }])).position;
async function log(): Promise<StoredEvent[]> {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return events;
}
async function rows() {
  const { rows } = await world.database.pool.query('select counter, sum::int, events, latest from counters');
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
}
async function start(task: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [projector, world.eventStoreUrl, world.database.url, task], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}
async function kill(child: ChildProcess): Promise<void> {
  children.splice(children.indexOf(child), 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
}
const ownersAre = (name: string, ...names: string[]) =>
  until(`all views are kept by ${name}`, async () => (await operator.status()).every(({ slices }) => slices.every(({ owner }) => [name, ...names].includes(owner!))));
const members = async () => (await world.database.pool.query(`select application_name as name from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and (classid::integer, objid) = ($1, $2) and datname = current_database()`, [...memberLock])).rows.map(({ name }) => name).sort();
const nameOf = ({ pid }: ChildProcess) => `${hostname()}:${pid}`;

const standsStill = ({ pid }: ChildProcess) => execFileSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).startsWith('T');

test('an owner that stands still loses its work to another process, and goes on as one of two: nothing is missed, nothing comes twice', async () => {
  const pair = [await start('share'), await start('share')];
  const ownerOf = async () => (await operator.status())[0]!.slices[0]!.owner;
  await until('each keeps a view', async () => new Set((await operator.status()).map(({ slices }) => slices[0]!.owner)).size === 2);
  await operator.waitFor(['counters'], await raise(1));
  const name = await ownerOf();
  const [owner, other] = nameOf(pair[0]!) === name ? [pair[0]!, pair[1]!] : [pair[1]!, pair[0]!];
  owner.kill('SIGSTOP');
  await takesOver(other);
  await goesOnAsOneOfTwo(owner);
});

test('one that stands still in the midst of a transaction holds nobody up for longer', async () => {
  const owner = await start('standing-still');
  await ownersAre(nameOf(owner));
  await raise(77);
  await until('it stands still', () => standsStill(owner));
  await takesOver(await start('share'));
  await goesOnAsOneOfTwo(owner);
});

test('one that stands still while it tries a parked event again holds nobody up for longer either', async () => {
  const poisoned = await start('poisoned-share');
  await ownersAre(nameOf(poisoned));
  await raise(13);
  await raise(77);
  await until('both wait', async () => (await operator.parked())[0]?.waiting === 1);
  await kill(poisoned);
  const owner = await start('standing-still-share');
  await until('it stands still', () => standsStill(owner));
  await takesOver(await start('share'));
  await goesOnAsOneOfTwo(owner);
});

async function takesOver(other: ChildProcess): Promise<void> {
  let last = await raise(2);
  for (let n = 0; n < 20; n++) last = await raise(n, `c${n % 3}`);
  await ownersAre(nameOf(other));
  expect(await members()).toEqual([`tarl ${nameOf(other)}`]);
  await operator.waitFor(['counters'], last);
  expect(await rows()).toEqual(foldOfLog(await log()));
}

async function goesOnAsOneOfTwo(owner: ChildProcess): Promise<void> {
  owner.kill('SIGCONT');
  await until('it has joined again', async () => (await members()).includes(`tarl ${nameOf(owner)}`));
  let last = await raise(3);
  for (let n = 0; n < 20; n++) last = await raise(n, `c${n % 3}`);
  await operator.waitFor(['counters', 'command-log'], last);
  expect(await rows()).toEqual(foldOfLog(await log()));
  expect(owner.exitCode).toBe(null);
}

test('an owner whose connections fall silent on the way loses its work to another process, notices, and joins again', async () => {
  const { port } = new URL(world.database.url);
  const way = await shakyWay(Number(port));
  const postgresUrl = world.database.url.replace(`:${port}/`, `:${way.port}/`);
  const [owner, other] = [world.engine([counters], { name: 'owner', postgresUrl }), world.engine([counters], { name: 'other' })];
  await owner.start();
  await ownersAre('owner');
  await operator.waitFor(['counters'], await raise(1));
  await other.start();
  await until('both are there', async () => (await members()).length === 2);

  way.silence();
  let last = await raise(2);
  await ownersAre('other');
  await operator.waitFor(['counters'], last);
  way.heal();
  await until('it has joined again', async () => (await members()).join() === 'tarl other,tarl owner');
  for (let n = 0; n < 20; n++) last = await raise(n, `c${n % 3}`);
  await ownersAre('owner', 'other');
  await operator.waitFor(['counters', 'command-log'], last);
  expect(await rows()).toEqual(foldOfLog(await log()));
  // What stays silent would never answer a farewell.
  way.close();
  await owner.stop();
});
