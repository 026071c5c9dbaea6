import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PoolClient } from 'pg';
import { z } from 'zod';
import { defineEvent } from '../../../src/domain/kit/index.js';
import type { StoredEvent } from '../../../src/platform/eventstore/port.js';
import { defineView } from '../../../src/projections/engine/define.js';
import { createShadows, dropTables, indexShadows, shadowName } from '../../../src/projections/engine/shadow.js';
import { asOfInput } from '../../../src/projections/kit/as-of.js';
import { listPage, type Listing } from '../../../src/projections/kit/list/page.js';
import { placeOf } from '../../../src/projections/kit/place.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { createTables } from '../engine/world.js';

const itemEvents = [
  defineEvent('ItemKept', z.object({ project: z.string(), item: z.string(), owner: z.string() })),
  defineEvent('ItemRemoved', z.object({ project: z.string(), item: z.string() })),
  defineEvent('ItemSeen', z.object({ project: z.string(), item: z.string() })),
] as const;
const items = defineView({
  name: 'items',
  version: 1,
  table: 'items',
  row: z.object({ project: z.string(), item: z.string(), owner: z.string(), keptAt: z.iso.datetime() }),
  key: ['project', 'item'],
  history: true,
  events: itemEvents,
  keyOf: ({ data }) => ({ project: data.project, item: data.item }),
  on: {
    ItemKept: (_, data, info) => ({ ...data, keptAt: info.recordedAt }),
    ItemRemoved: () => undefined,
    ItemSeen: (row) => row,
  },
});
const listing: Listing = {
  table: 'items', columns: 'item, owner', name: 'item', fields: { owner: { sql: 'owner', kind: 'text' } }, search: 'item',
  order: { owner: { sql: 'owner', type: 'text' }, item: { sql: 'item', type: 'text' } },
};

let database: TestDatabase;
let client: PoolClient;
beforeAll(async () => {
  database = await testDatabase();
  await createTables(database, items);
  client = await database.pool.connect();
});
beforeEach(() => client.query('truncate items, items_history'));
afterAll(async () => {
  client.release();
  await database.drop();
});

interface Fact {
  readonly type: 'ItemKept' | 'ItemRemoved' | 'ItemSeen';
  readonly item: string;
  readonly owner: string;
}
const facts = fc.array(fc.record<Fact>({ type: fc.constantFrom('ItemKept', 'ItemKept', 'ItemRemoved', 'ItemSeen'), item: fc.constantFrom('a', 'b', 'c', 'd', 'e'), owner: fc.constantFrom('x', 'y') }), { minLength: 1, maxLength: 25 });

const eventOf = ({ type, ...data }: Fact, at: number): StoredEvent => ({
  id: `${at}`, stream: 's-1', revision: BigInt(at), position: placeAt(at), type, data: { project: 'p', ...data }, metadata: { version: 1 }, recordedAt: new Date(1_700_000_000_000 + at),
});
/** Positions as a server gives them: with gaps, and now and then two of one transaction. */
const placeAt = (at: number) => ({ commit: BigInt(at - (at % 3 === 2 ? 1 : 0)) * 10n + 10n, prepare: BigInt(at - (at % 3 === 2 ? 1 : 0)) * 10n + (at % 3 === 2 ? 10n : 9n) });

/** What there is after the facts, by name. */
function foldOf(facts: readonly Fact[]): { item: string; owner: string }[] {
  const rows = new Map<string, string>();
  for (const { type, item, owner } of facts) {
    if (type === 'ItemKept') rows.set(item, owner);
    if (type === 'ItemRemoved') rows.delete(item);
  }
  return [...rows].map(([item, owner]) => ({ item, owner })).sort((a, b) => (a.item < b.item ? -1 : 1));
}

async function listed(asOf: string | undefined, filter: string, orderBy: string) {
  const rows = [];
  let pageToken = '';
  do {
    const page = await listPage(database.pool, listing, 'p', { filter, orderBy, pageSize: 2, pageToken, asOf });
    rows.push(...page.rows);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return rows;
}

async function expectEveryMoment(all: readonly Fact[]): Promise<void> {
  for (let until = 1; until <= all.length; until++) {
    const { commit, prepare } = placeAt(until - 1);
    const asOf = `${commit}/${prepare}`.replace(/^(\d+)\/\1$/, '$1');
    const expected = foldOf(all.slice(0, until));
    expect(await listed(asOf, '', '')).toEqual(expected);
    expect(await listed(asOf, 'owner = x', 'item desc')).toEqual(expected.filter(({ owner }) => owner === 'x').reverse());
  }
  expect(await listed(undefined, '', '')).toEqual(foldOf(all));
}

/** A rebuild whose memory is full after some of the events: the others go through the tables. */
async function rebuilt(events: readonly StoredEvent[], inMemory: number): Promise<void> {
  const build = items.startBuild();
  for (const event of events.slice(0, inMemory)) build.add(event);
  await client.query('begin');
  await createShadows(client, items.tables);
  await build.write({ client, table: shadowName });
  await indexShadows(client, items.tables);
  await items.project(events.slice(inMemory), { client, table: shadowName });
  await client.query('commit');
}

describe('a list as of a moment', () => {
  test('is what the log gives up to it, page by page and filtered, in whatever batches it came and after a rebuild', async () => {
    await fc.assert(
      fc.asyncProperty(facts, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 26, maxLength: 26 }), fc.nat(25), async (all, sizes, inMemory) => {
        await client.query('truncate items, items_history');
        const events = all.map(eventOf);
        for (let from = 0; from < events.length; from += sizes.shift()!) await items.project(events.slice(from, from + sizes[0]!), { client, table: (name) => name });
        await expectEveryMoment(all);
        await rebuilt(events, inMemory);
        for (const table of items.tables) {
          const [live, shadow] = await Promise.all([table, shadowName(table)].map(async (name) => (await database.pool.query(`select * from ${name} order by ${table === 'items' ? 'item' : 'from_commit, from_prepare'}`)).rows));
          expect(shadow).toEqual(live);
        }
        await dropTables(client, items.tables, shadowName);
      }),
      { numRuns: 15 },
    );
  });

  test('goes on only as of the same moment', async () => {
    await items.project(['a', 'b', 'c'].map((item, at) => eventOf({ type: 'ItemKept', item, owner: 'x' }, at * 3)), { client, table: (name) => name });
    const request = { filter: '', orderBy: '', pageSize: 1, pageToken: '' };
    const { nextPageToken: pageToken } = await listPage(database.pool, listing, 'p', { ...request, asOf: '1000' });
    for (const asOf of [undefined, '999']) {
      await expect(listPage(database.pool, listing, 'p', { ...request, pageToken, asOf })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('as of another moment') });
    }
    expect((await listPage(database.pool, listing, 'p', { ...request, pageToken, asOf: '1000' })).rows).toEqual([{ item: 'b', owner: 'x' }]);
  });
});

test('a batch costs one statement more where the history is kept, and none where nothing changes', async () => {
  const statements: string[] = [];
  const spy = { query: (query: { text: string }) => (statements.push(query.text.trim().split(' ')[0]!), client.query(query)) } as unknown as PoolClient;
  const events = Array.from({ length: 300 }, (_, at) => eventOf({ type: 'ItemKept', item: `i${at % 30}`, owner: `${at}` }, at * 3));
  await items.project(events, { client: spy, table: (name) => name });
  await items.project([eventOf({ type: 'ItemSeen', item: 'i1', owner: '' }, 1000)], { client: spy, table: (name) => name });
  expect(statements).toEqual(['select', 'insert', 'with', 'select', 'insert']);
  expect((await client.query('select count(*)::int as versions, count(*) filter (where to_commit is null)::int as now from items_history')).rows).toEqual([{ versions: 300, now: 30 }]);
});

describe('a moment', () => {
  test.each(['0', '12', '12/10', '2026-11-26T14:03Z', '2026-11-26T14:03:00Z', '2026-11-26T14:03:00.25+01:00'])('is written as %s', (text) => {
    expect(placeOf(text)).toBeDefined();
  });

  test.each(['', ' 1', '-1', '1.5', '12/13', '18446744073709551616', 'now', '2026-11-26', '2026-11-26T14:03', '2026-02-30T14:03Z', '2026-11-26T25:03Z', "1) or true --"])('is not "%s"', (text) => {
    expect(placeOf(text)).toBeUndefined();
    expect(z.object(asOfInput).safeParse({ asOf: text })).toMatchObject({ success: false, error: { issues: [{ path: ['asOf'], message: expect.stringContaining('takes a position of the log, or a time') }] } });
  });
});
