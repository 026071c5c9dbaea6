import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readCheckpoints } from '../../../src/projections/engine/checkpoints.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import { until } from '../../support/until.js';
import { countersView } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

const [older, newer] = [1, 2].map((version) => countersView({ version }));
let world: EngineWorld;
/** The same in both releases. */
const others = countersView({ name: 'others' });
beforeEach(async () => void (world = await engineWorld([older!, others])));
afterEach(() => world.close());

const raise = (by: number) => world.append('counter-a', ['CounterRaised', { counter: 'a', by }]);
const sum = async () => (await world.database.pool.query(`select sum::int from counters where counter = 'a'`)).rows[0]?.sum;
const statusOf = async (engine: ProjectionEngine) => (await engine.status()).find(({ name }) => name === 'counters')!;
const builtVersion = async () => (await readCheckpoints(world.database.pool)).get('counters')?.version;
const isBuiltIn = (version: number) => until(`the view is built in version ${version}`, async () => (await builtVersion()) === version);

async function started(view: typeof older, name: string): Promise<ProjectionEngine> {
  const engine = world.engine([view!, others], { name });
  await engine.start();
  return engine;
}

test('while a newer release is there, an older one neither builds nor keeps a view that this has in a later version, and says so', async () => {
  await raise(1);
  const ofNewer = await started(newer, 'newer');
  await isBuiltIn(2);
  const ofOlder = await started(older, 'older');
  await until('the older release says so in its log', () => world.complaints.some((line) => line.includes('A newer release has this view')));
  await until('the older one keeps what it may keep', async () => (await ofOlder.status()).some(({ slices }) => slices.some(({ owner }) => owner === 'older')));

  const status = await statusOf(ofOlder);
  expect(status).toMatchObject({ version: 2, state: 'live', error: expect.stringContaining('A newer release keeps it in version 2') });
  expect(status.slices.map(({ owner }) => owner)).toEqual(['newer']);
  expect((await statusOf(ofNewer)).error).toBeUndefined();
  for (const forbidden of [() => ofOlder.rebuild('counters', () => undefined), () => ofOlder.compare('counters')]) {
    await expect(forbidden()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', details: { reason: 'KEPT_BY_NEWER_RELEASE' } });
  }
  await ofNewer.waitFor(['counters'], (await raise(2)).position);
  expect(await sum()).toBe(3);
  expect((await statusOf(ofNewer)).version).toBe(2);
});

test('a newer release takes a view over from an older one that is still there, which then leaves it alone', async () => {
  const ofOlder = await started(older, 'older');
  await ofOlder.waitFor(['counters'], (await raise(1)).position);
  const ofNewer = await started(newer, 'newer');
  await isBuiltIn(2);
  await until('the newer one keeps the view', async () => (await statusOf(ofNewer)).slices.every(({ owner }) => owner === 'newer'));
  await ofNewer.waitFor(['counters'], (await raise(2)).position);
  expect([(await statusOf(ofOlder)).version, await sum()]).toEqual([2, 3]);
});

/** An engine of the newer release that begins to build its version, and goes on when it is released. */
async function newerThatWaits() {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const engine = world.engine([newer!, others], { name: 'newer', before: (statement) => (statement.startsWith('create') && statement.includes('counters__shadow') ? (reached.resolve(), released.promise) : undefined) });
  await engine.start();
  await reached.promise;
  return { engine, release: released.resolve };
}

test('while a newer release builds its version, an older one keeps its own rows up to date, and waits are answered in both', async () => {
  const ofOlder = await started(older, 'older');
  await ofOlder.waitFor(['counters'], (await raise(1)).position);
  const { engine: ofNewer, release } = await newerThatWaits();
  try {
    // Time enough for the older one to have given its slices away.
    await until('the older release knows of the newer one', () => world.complaints.some((line) => line.includes('A newer release has this view')));
    for (const by of [2, 3, 4]) {
      const { position } = await raise(by);
      await Promise.all([ofOlder, ofNewer].map((engine) => engine.waitFor(['counters'], position)));
    }
    expect([await builtVersion(), await sum()]).toEqual([1, 10]);
    const status = await statusOf(ofOlder);
    expect(status).toMatchObject({ version: 1, state: 'rebuilding', slices: [{ owner: 'older' }] });
    expect(status.error).toBeUndefined();
    await expect(ofOlder.rebuild('counters', () => undefined)).rejects.toMatchObject({ details: { reason: 'KEPT_BY_NEWER_RELEASE' } });
  } finally {
    release();
  }
  await isBuiltIn(2);
  await ofNewer.waitFor(['counters'], (await raise(5)).position);
  expect([await sum(), (await statusOf(ofNewer)).slices.map(({ owner }) => owner)]).toEqual([15, ['newer']]);
});

test('when the older release goes while a newer one builds, its rows wait, and nothing is lost', async () => {
  const ofOlder = await started(older, 'older');
  await ofOlder.waitFor(['counters'], (await raise(1)).position);
  const { engine: ofNewer, release } = await newerThatWaits();
  try {
    await ofOlder.stop();
    await raise(2);
    const another = await started(older, 'another');
    await another.waitFor(['counters'], (await raise(3)).position);
    expect([await builtVersion(), await sum(), (await statusOf(another)).slices.map(({ owner }) => owner)]).toEqual([1, 6, ['another']]);
  } finally {
    release();
  }
  await isBuiltIn(2);
  await ofNewer.waitFor(['counters'], (await raise(4)).position);
  expect(await sum()).toBe(10);
});

test('once the newer release has gone, an older one builds its version again', async () => {
  await raise(1);
  const ofNewer = await started(newer, 'newer');
  await isBuiltIn(2);
  const ofOlder = await started(older, 'older');
  await until('the older release leaves it alone', () => world.complaints.some((line) => line.includes('A newer release has this view')));
  await ofNewer.stop();
  await isBuiltIn(1);
  await ofOlder.waitFor(['counters'], (await raise(2)).position);
  expect(await sum()).toBe(3);
});

test('a view that waits for its turn to be built, and is built by somebody else meanwhile, is followed at once', async () => {
  const before = await started(older, 'before');
  await before.waitFor(['counters', 'others'], (await raise(1)).position);
  await before.stop();
  const newerOthers = countersView({ name: 'others', version: 2 });
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const engine = world.engine([newer!, newerOthers], { before: (statement) => (statement.startsWith('create') && statement.includes('counters__shadow') ? (reached.resolve(), released.promise) : undefined) });
  try {
    await engine.start();
    await reached.promise;
    await world.engine([newer!, newerOthers], { projects: false }).rebuild('others', () => undefined);
    await engine.waitFor(['others'], (await raise(2)).position);
    expect(await builtVersion()).toBe(1);
  } finally {
    released.resolve();
  }
  await engine.waitFor(['counters'], (await raise(3)).position);
  expect(await sum()).toBe(6);
});
