import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { makePool, patient } from '../../../src/platform/postgres/pool.js';
import { unlessAborted } from '../../../src/projections/engine/pause.js';
import { Pace, Traffic } from '../../../src/projections/engine/rebuild-pace.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { until } from '../../support/until.js';

const never = new AbortController().signal;
const look = async () => undefined;

test('a rebuild rests nine times as long as it worked while queries come, and not at all without', () => {
  const traffic = { flows: true, look };
  const pace = new Pace(traffic, 0.1, never);
  expect(pace.restAfter(4)).toBeCloseTo(36);
  expect(pace.restAfter(10_000)).toBe(1000);
  traffic.flows = false;
  expect(pace.restAfter(4)).toBe(0);
  expect(new Pace({ flows: true, look }, 1, never).restAfter(4)).toBe(0);
});

test('a turn ends sooner while queries come', async () => {
  let now = 0;
  const traffic = { flows: true, look };
  const pace = new Pace(traffic, 1, never, () => now);
  const ends = async (after: number) => {
    const before = now;
    now += after;
    let turned = false;
    setImmediate(() => (turned = true));
    await pace.rest();
    const ended = turned;
    if (!ended) now = before;
    return ended;
  };
  expect(await ends(0.5)).toBe(false);
  expect(await ends(1)).toBe(true);
  traffic.flows = false;
  expect(await ends(1)).toBe(false);
  expect(await ends(8)).toBe(true);
});

describe('queries', () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await testDatabase()));
  afterAll(() => database.drop());

  test('are those who take a connection out of the pool of reads, and are forgotten soon', () => {
    let now = 0;
    const reads = new EventEmitter();
    const traffic = new Traffic(reads as never, database.pool, () => now);
    expect(traffic.flows).toBe(false);
    reads.emit('acquire');
    expect(traffic.flows).toBe(true);
    now = 251;
    expect(traffic.flows).toBe(false);
  });

  test('of other processes are seen through Postgres, and other sessions are not taken for them', async () => {
    const traffic = new Traffic(undefined, database.pool);
    await database.pool.query('select 1');
    await traffic.look();
    expect(traffic.flows).toBe(false);
    const elsewhere = makePool(database.url, patient());
    await until('the queries of the other process are seen', async () => {
      await elsewhere.query('select 1');
      await traffic.look();
      return traffic.flows;
    });
    await elsewhere.end();
  });
});

test('what fails after a rebuild was called off troubles nobody', async () => {
  await unlessAborted(Promise.reject(new Error('the pool has ended')), AbortSignal.abort());
  // Node tells of what nobody has caught in the next turn.
  await new Promise((resolve) => setImmediate(resolve));
});
