import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { PoolClient } from 'pg';
import { z } from 'zod';
import { defineEvent } from '../../../src/domain/kit/index.js';
import type { StoredEvent } from '../../../src/platform/eventstore/port.js';
import { defineView } from '../../../src/projections/engine/define.js';
import { createShadows, indexShadows, shadowName } from '../../../src/projections/engine/shadow.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables } from './world.js';

const ordersEvents = [
  defineEvent('OrderPlaced', z.object({ shop: z.string(), order: z.int(), items: z.array(z.string()), total: z.number(), due: z.iso.datetime({ offset: true }) }), [
    ({ amount, ...rest }) => ({ ...rest, total: amount }),
  ]),
  defineEvent('OrderPaid', z.object({ shop: z.string(), order: z.int() })),
  defineEvent('OrderCancelled', z.object({ shop: z.string(), order: z.int() })),
  defineEvent('OrderNoted', z.object({ shop: z.string(), order: z.int() })),
] as const;

const orders = defineView({
  name: 'orders',
  version: 1,
  table: 'orders',
  row: z.object({
    shop: z.string(),
    order: z.int(),
    items: z.array(z.string()),
    total: z.number(),
    paid: z.boolean(),
    due: z.iso.datetime(),
    placedBy: z.string(),
    placedAt: z.iso.datetime(),
    revision: z.bigint(),
    remark: z.string().optional(),
    discount: z.number().nullable(),
  }),
  key: ['shop', 'order'],
  events: ordersEvents,
  keyOf: ({ data }) => ({ shop: data.shop, order: data.order }),
  on: {
    OrderPlaced: (_, data, info) => ({ ...data, paid: false, placedBy: info.actor, placedAt: info.recordedAt, revision: info.revision, discount: null }),
    OrderPaid: (row) => row && { ...row, paid: true, remark: `${row.items.length} items, due ${row.due}` },
    OrderCancelled: () => undefined,
  },
});

let database: TestDatabase;
let client: PoolClient;
beforeAll(async () => {
  database = await testDatabase();
  await createTables(database, orders);
  client = await database.pool.connect();
});
beforeEach(() => client.query('truncate orders'));
afterAll(async () => {
  client.release();
  await database.drop();
});

let place = 0n;
function event(type: string, data: object, metadata: object = {}): StoredEvent {
  place++;
  const version = ordersEvents.find((definition) => definition.type === type)?.version ?? 1;
  return {
    id: `${place}`, stream: 'order-1', revision: place, position: { commit: place, prepare: place }, type, data,
    metadata: { version, actor: 'key:test', ...metadata }, recordedAt: new Date(1_700_000_000_000 + Number(place)),
  };
}
const placed = (order: number, more: object = {}) => event('OrderPlaced', { shop: 's', order, items: ['a', 'b'], total: 1.5, due: '2026-01-02T03:04:05+01:00', ...more });
const table = async () => (await client.query('select * from orders order by shop, "order"')).rows;
const given = (...events: StoredEvent[]) => ({
  /** The rows as they come from one batch, which must be those of one batch an event and of a rebuild. */
  async thenRows(...expected: object[]) {
    await orders.project(events, { client, table: (name) => name });
    const rows = await table();
    expect(rows).toEqual(expected.map((row) => expect.objectContaining(row)));

    await client.query('truncate orders');
    for (const one of events) await orders.project([one], { client, table: (name) => name });
    expect(await table()).toEqual(rows);

    const build = orders.startBuild();
    for (const one of events) build.add(one);
    await client.query('begin');
    await createShadows(client, ['orders']);
    await build.write({ client, table: shadowName });
    await indexShadows(client, ['orders']);
    expect((await client.query(`select * from ${shadowName('orders')} order by shop, "order"`)).rows).toEqual(rows);
    await client.query('rollback');
  },
});

describe('the rows of a keyed view', () => {
  test('are the folds of the events of their keys', () => given(placed(1), placed(2), event('OrderPaid', { shop: 's', order: 2 })).thenRows({ order: 1n, paid: false }, { order: 2n, paid: true }));

  test('disappear when a handler gives none, and may come again', () =>
    given(placed(1), event('OrderCancelled', { shop: 's', order: 1 }), placed(2), placed(1, { total: 9 }), event('OrderCancelled', { shop: 's', order: 2 }))
      .thenRows({ order: 1n, total: 9 }));

  test('are not made by an event about a row that is not there, nor by one without a handler', () =>
    given(event('OrderPaid', { shop: 's', order: 7 }), event('OrderCancelled', { shop: 's', order: 8 }), event('OrderNoted', { shop: 's', order: 9 })).thenRows());

  test('hold awkward text, lists and objects unchanged', () => {
    const items = ['tab\there', 'line\nbreak', 'back\\slash', '\\N', '"quoted"', "it's", '', '{}', 'NULL', '😀', '\u0001'];
    return given(placed(1, { shop: 'a\t"b"\\N,{}' , items }), placed(2, { items: [] })).thenRows({ shop: 'a\t"b"\\N,{}', items }, { items: [] });
  });

  test('never mix up keys of several parts', () => given(placed(23, { shop: '1' }), placed(3, { shop: '12' }), placed(3, { shop: '1' })).thenRows({ shop: '1', order: 3n }, { shop: '1', order: 23n }, { shop: '12', order: 3n }));

  test('come from older events too, brought up to date by their upcasts', () =>
    given(event('OrderPlaced', { shop: 's', order: 1, items: [], amount: 42, due: '2026-01-02T03:04:05Z' }, { version: 1 })).thenRows({ total: 42 }));

  test('keep numbers exactly', () => given(placed(Number.MAX_SAFE_INTEGER, { total: 0.1 + 0.2 }), placed(-5, { total: -1e-300 })).thenRows({ order: -5n, total: -1e-300 }, { order: BigInt(Number.MAX_SAFE_INTEGER), total: 0.1 + 0.2 }));

  test('give a handler the same times whether it sees the row in memory or read back', () =>
    given(placed(1), event('OrderPaid', { shop: 's', order: 1 })).thenRows({ remark: '2 items, due 2026-01-02T02:04:05.000Z', due: new Date('2026-01-02T02:04:05Z') }));
});

test('an event written by a newer release stops the view instead of being misread', async () => {
  const future = event('OrderPaid', { shop: 's', order: 1 }, { version: 9 });
  await expect(orders.project([future], { client, table: (name) => name })).rejects.toThrow('OrderPaid version 9 was written by a newer release');
});

test('a handler never sees the clock: the same events give the same rows at any time', async () => {
  const events = [placed(1), event('OrderPaid', { shop: 's', order: 1 })];
  const rowsAt = async (time: string) => {
    jest.useFakeTimers({ now: new Date(time), doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
    await client.query('truncate orders');
    await orders.project(events, { client, table: (name) => name });
    const rows = await table();
    jest.useRealTimers();
    return rows;
  };
  expect(await rowsAt('2031-05-05T05:05:05Z')).toEqual(await rowsAt('1999-01-01T00:00:00Z'));
});

test('a batch costs one select, one upsert and at most one delete, however many events it has', async () => {
  const statements: string[] = [];
  const spy = { query: (query: { text: string }) => (statements.push(query.text.split(' ')[0]!), client.query(query)) } as unknown as PoolClient;
  const events = Array.from({ length: 500 }, (_, order) => placed(order));
  await orders.project(events, { client: spy, table: (name) => name });
  await orders.project(events.map(({ data }, index) => event(index % 2 ? 'OrderPaid' : 'OrderCancelled', data as object)), { client: spy, table: (name) => name });
  expect(statements).toEqual(['select', 'insert', 'select', 'delete', 'insert']);
});

test('a column type that no row can have is refused when the view is defined', () => {
  const define = () => defineView({ name: 'x', version: 1, table: 'x', row: z.object({ id: z.string(), what: z.map(z.string(), z.string()) }), key: ['id'], events: [], keyOf: () => ({ id: '' }), on: {} });
  expect(define).toThrow("No column can hold what: a row has no place for zod's map");
});
