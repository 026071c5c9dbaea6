import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Operation } from '../../../src/api/core.js';
import type { EventStore, SubscribeOptions } from '../../../src/platform/eventstore/port.js';
import type { ProjectionEngine } from '../../../src/projections/engine/index.js';
import { until } from '../../support/until.js';
import { countersView, foldOfLog } from './counters.js';
import { engineWorld, type EngineWorld } from './world.js';

const projector = fileURLToPath(new URL('../../support/projector.mjs', import.meta.url));
const counters = countersView();
const rebuild = { kind: 'rebuild', view: 'counters', actor: 'key:me', onDifference: 'SWITCH' } as const;
const idOf = ({ name }: Operation) => name.slice('operations/'.length);
let world: EngineWorld;
beforeEach(async () => void (world = await engineWorld([counters])));
afterEach(() => world.close());

const raise = (by: number, counter = 'a') => world.append(`counter-${counter}`, ['CounterRaised', { counter, by }]);
const rows = async () => {
  const { rows } = await world.database.pool.query('select counter, sum::int, events, latest from counters');
  return Object.fromEntries(rows.map(({ counter, ...row }) => [counter, row]));
};
async function folded() {
  const events = [];
  for await (const event of world.eventStore.readLog()) events.push(event);
  return foldOfLog(events);
}
const ended = (engine: ProjectionEngine, id: string) => until('the operation has ended', async () => [await engine.operation(id)].find(({ done }) => done));

/** The store as a rebuild reads it: each event waits until it is let through. */
function gated(eventStore: EventStore) {
  const gates: PromiseWithResolvers<void>[] = [];
  const gate = (index: number) => (gates[index] ??= Promise.withResolvers<void>());
  let asked = 0;
  async function* subscribe(options: SubscribeOptions) {
    // Only a rebuild reads through a filter.
    if (!options.filter) return yield* eventStore.subscribe(options);
    const aborted = new Promise((resolve) => options.signal?.addEventListener('abort', resolve, { once: true }));
    for await (const { events, position } of eventStore.subscribe(options)) {
      for (const event of events) {
        await Promise.race([gate(asked++).promise, aborted]);
        if (options.signal?.aborted) return;
        yield { events: [event], position: event.position, live: false };
      }
      yield { events: [], position, live: true };
    }
  }
  const store = Object.create(eventStore, { subscribe: { value: subscribe } }) as EventStore;
  return { store, asked: () => asked, letThrough: (index: number) => gate(index).resolve() };
}

describe('an operation that is paused', () => {
  test('reads no further until it is resumed, and then goes on from where it was', async () => {
    const { store, asked, letThrough } = gated(world.eventStore);
    const engine = world.engine([counters], { eventStore: store });
    await engine.start();
    for (const by of [1, 2, 3]) await raise(by);
    await engine.waitFor(['counters'], (await raise(4)).position);
    await world.database.pool.query('update counters set sum = 999');

    const before = asked();
    const id = idOf(await engine.begin(rebuild));
    await until('the rebuild asks for its first event', () => asked() === before + 1);
    expect(await engine.steer(id, 'pause')).toMatchObject({ done: false, metadata: { state: 'paused' } });
    const { rows: [{ at }] } = await world.database.pool.query('select clock_timestamp()::text as at');
    await until('the runner has looked since', async () => (await world.database.pool.query('select 1 from operations where updated_at > $1::timestamptz', [at])).rows.length > 0);
    // Its answer is on the way, if it is not there yet: the next one comes after it.
    const { rows: [{ then }] } = await world.database.pool.query('select max(updated_at)::text as then from operations');
    await until('the runner has looked again', async () => (await world.database.pool.query('select 1 from operations where updated_at > $1::timestamptz', [then])).rows.length > 0);
    letThrough(before);
    // Live projection of a later event passes the rebuild by.
    await engine.waitFor(['counters'], (await raise(5)).position);
    for (let index = before + 1; index < before + 10; index++) letThrough(index);
    await engine.waitFor(['counters'], (await raise(6)).position);
    expect(asked()).toBe(before + 1);
    expect((await rows())['a'].sum).toBe(999 + 5 + 6);

    await engine.steer(id, 'resume');
    expect(await ended(engine, id)).toMatchObject({ metadata: { state: 'done' } });
    await engine.waitFor(['counters'], (await raise(7)).position);
    expect(await rows()).toEqual(await folded());
  });

  test('waits for its process to come back, and for nobody else to take it up', async () => {
    const engine = world.engine([counters]);
    await engine.start();
    await engine.waitFor(['counters'], (await raise(1)).position);
    await world.database.pool.query('update counters set sum = 999');
    const id = randomUUID();
    await world.database.pool.query(`insert into operations (id, view, actor, on_difference, paused, runner, updated_at) values ($1, 'counters', 'key:me', 'SWITCH', true, gen_random_uuid(), now() - interval '1 hour')`, [id]);
    // Whoever looks for work passes it over: another operation is taken up by the same look.
    await world.database.pool.query(`insert into operations (view, id, kind, actor) values ('command-log', $1, 'comparison', 'key:me')`, ['019a0000-0000-7000-8000-000000000002']);
    await ended(engine, '019a0000-0000-7000-8000-000000000002');
    expect(await engine.operation(id)).toMatchObject({ done: false, metadata: { state: 'paused' } });
    await engine.steer(id, 'resume');
    expect(await ended(engine, id)).toMatchObject({ metadata: { state: 'done' } });
    expect(await rows()).toEqual(await folded());
  });
});

describe('a process that is killed in a rebuild', () => {
  const tables = async () => (await world.database.pool.query(`select tablename from pg_tables where tablename like 'counters%' order by 1`)).rows.map(({ tablename }) => tablename);

  test.each([
    ['reading', 'starts over'],
    ['writing', 'starts over'],
    ['indexing', 'starts over'],
    ['following', 'goes on'],
    ['comparing', 'goes on'],
    ['switching', 'goes on'],
  ])('while %s: the next one %s, and the rows are right', async (phase, what) => {
    for (let by = 1; by <= 9; by++) await raise(by, `c${by % 3}`);
    const child = spawn(process.execPath, [projector, world.eventStoreUrl, world.database.url, `die-${phase}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect(await tables()).toEqual(what === 'goes on' ? ['counters', 'counters__shadow'] : ['counters']);
    // Only the shadow that is there can have this.
    if (what === 'goes on') await world.database.pool.query(`update counters__shadow set note = 'made by the first' where counter = 'c0'`);
    await raise(10, 'c1');
    await world.database.pool.query(`insert into operations (id, view, actor, on_difference, runner, updated_at) values ($1, 'counters', 'key:me', 'SWITCH', gen_random_uuid(), now() - interval '1 minute')`, [randomUUID()]);

    const engine = world.engine([counters]);
    await engine.start();
    const [operation] = await engine.operations();
    expect(await ended(engine, idOf(operation!))).toMatchObject({ metadata: { state: 'done' } });
    await engine.waitFor(['counters'], (await raise(11, 'c2')).position);
    expect(await rows()).toEqual(await folded());
    expect((await world.database.pool.query(`select note = 'made by the first' as kept from counters where counter = 'c0'`)).rows).toEqual([{ kept: what === 'goes on' }]);
    expect(await tables()).toEqual(['counters', 'counters__former']);
    expect((await world.database.pool.query('select count(*)::int as left from projection_builds')).rows).toEqual([{ left: 0 }]);
  });

  test('leaves a shadow that nobody goes on with once a migration has changed the table', async () => {
    await raise(1, 'c0');
    const child = spawn(process.execPath, [projector, world.eventStoreUrl, world.database.url, 'die-following'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child, 'exit');
    await world.database.pool.query('alter table counters add column later text');
    await world.database.pool.query(`insert into operations (id, view, actor, on_difference, runner, updated_at) values ($1, 'counters', 'key:me', 'SWITCH', gen_random_uuid(), now() - interval '1 minute')`, [randomUUID()]);
    const engine = world.engine([counters]);
    await engine.start();
    const [operation] = await engine.operations();
    expect(await ended(engine, idOf(operation!))).toMatchObject({ metadata: { state: 'done' } });
    expect((await world.database.pool.query('select later from counters')).rows).toEqual([{ later: null }]);
  });
});
