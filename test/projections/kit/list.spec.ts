import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Refusal } from '../../../src/domain/kit/index.js';
import { connectDataSource } from '../../../src/platform/postgres/data-source.js';
import { featureServiceQueries } from '../../../src/projections/features/services/queries.js';
import { parseFilter } from '../../../src/projections/kit/list/parse.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await (await connectDataSource(database.url, [])).destroy();
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query('truncate feature_services'));

interface Service {
  readonly service: string;
  readonly owner?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly archived?: boolean;
  readonly description?: string;
  readonly createdAt?: string;
}

async function add(...services: readonly Service[]): Promise<void> {
  for (const { service, owner = '', tags = {}, archived = false, description = '', createdAt = '2026-01-01T00:00:00Z' } of services) {
    await database.pool.query(`insert into feature_services values ('p', $1, '["g:x"]', false, $2, $3, $4, $5, $6, 'key:a', $6, '0')`, [service, owner, description, tags, archived, createdAt]);
  }
}

const listServices = featureServiceQueries.find(({ name }) => name === 'ListFeatureServices')!;
const page = (asked: object = {}) => listServices.run(listServices.input.parse({ project: 'p', ...asked }) as never, { pool: database.pool } as never) as Promise<{ featureServices: { service: string }[]; nextPageToken: string }>;
const names = async (asked: object = {}) => (await page(asked)).featureServices.map(({ service }) => service);

describe('a filter', () => {
  beforeEach(() =>
    add(
      { service: 'a', owner: 'risk', tags: { tier: '1', pii: 'yes' }, description: 'Card fraud' },
      { service: 'b', owner: 'risk', tags: { tier: '2' }, archived: true, createdAt: '2026-03-01T00:00:00Z' },
      { service: 'c', owner: 'Ops "night"', tags: { 'a.b': 'x%' }, description: '100% of_cards' },
    ),
  );

  test.each([
    ['', ['a', 'b', 'c']],
    ['owner = risk', ['a', 'b']],
    ['owner != risk', ['c']],
    ['owner=risk AND tags.tier = "1"', ['a']],
    ['owner : RIS tags.tier != 1', ['b']],
    ['tags : tier', ['a', 'b']],
    ['tags.tier != 1', ['b', 'c']],
    ['tags.pii : Y', ['a']],
    ['tags.a.b = "x%"', ['c']],
    ['archived = true', ['b']],
    ['archived != true', ['a', 'c']],
    ['createdAt >= 2026-02-01', ['b']],
    ['createdAt < "2026-03-01T00:00:00Z"', ['a', 'c']],
    ['fraud', ['a']],
    ['"card fraud"', ['a']],
    ['cards "100%"', ['c']],
    ['of_c', ['c']],
    ['"a_b"', []],
    ['"%"', ['c']],
    ['"g:x"', ['a', 'b', 'c']],
    ['owner = "Ops \\"night\\""', ['c']],
    [`owner = "' or true --"`, []],
  ])('%s finds its rows and no others', async (filter, expected) => {
    expect(await names({ filter })).toEqual(expected);
  });

  test.each([
    ['nope = 1', 'knows no field nope; it knows service, owner'],
    ['g:x', 'knows no field g'],
    ['__proto__ = 1', 'knows no field __proto__'],
    ['owner < a', 'takes =, != and :'],
    ['owner =', 'no value after owner ='],
    ['owner = AND archived = true', 'no value after owner ='],
    ['= 1', 'without a field'],
    ['archived = maybe', 'true or false'],
    ['createdAt > soon', 'takes a time'],
    ['createdAt > 2026-13-45', 'takes a time'],
    ['createdAt > 2026-02-30', 'takes a time'],
    ['createdAt > 0000-01-01', 'takes a time'],
    ['createdAt > "0001-01-01T00:00:00+14:00"', 'takes a time'],
    ['createdAt < "9999-12-31T23:59:59-14:00"', 'takes a time'],
    ['tags = 1', 'name one'],
    ['owner.x = 1', 'has no parts'],
    ['a OR b', 'knows no OR'],
    ['(a)', 'must stand in quotes'],
    ['"a', 'does not end'],
    ['AND a', 'joins nothing'],
    [Array(21).fill('a').join(' '), 'the most are 20'],
  ])('%s is refused with a reason', async (filter, sentence) => {
    const error = await page({ filter }).then(() => undefined, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(sentence), details: { reason: 'INVALID_FILTER' } });
  });

  test('of any text is read or refused, and a text in quotes is always that text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseFilter(text);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
        expect(parseFilter(`owner = "${text.replaceAll(/["\\]/g, '\\$&')}"`)).toEqual([{ field: 'owner', operator: '=', value: text }]);
      }),
    );
  });
});

describe('an order', () => {
  beforeEach(() => add({ service: 'a', owner: 'z' }, { service: 'b', owner: 'y', createdAt: '2026-02-01T00:00:00.000001Z' }, { service: 'c', owner: 'z' }));

  test.each([
    ['service desc', ['c', 'b', 'a']],
    ['owner', ['b', 'a', 'c']],
    ['owner desc', ['c', 'a', 'b']],
    ['createdAt', ['a', 'c', 'b']],
    ['createdAt  desc', ['b', 'c', 'a']],
  ])('by %s is kept, page by page', async (orderBy, expected) => {
    expect(await names({ orderBy })).toEqual(expected);
    const found: string[] = [];
    let pageToken = '';
    do {
      const next = await page({ orderBy, pageSize: 1, pageToken });
      found.push(...next.featureServices.map(({ service }) => service));
      pageToken = next.nextPageToken;
    } while (pageToken !== '');
    expect(found).toEqual(expected);
  });

  test('by what cannot be sorted by is refused', async () => {
    for (const orderBy of ['tags', 'owner; drop table feature_services', 'owner upwards', 'constructor']) {
      await expect(page({ orderBy })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('takes one of service, owner') });
    }
  });
});

describe('the pages of a list', () => {
  test('neither repeat nor lose a row when others come and go between them', async () => {
    await add(...['b', 'd', 'f', 'h'].map((service) => ({ service, owner: 'o' })));
    const first = await page({ pageSize: 2, filter: 'owner = o' });
    await add({ service: 'a', owner: 'o' }, { service: 'g', owner: 'o' });
    await database.pool.query(`delete from feature_services where service in ('b', 'd')`);
    const rest = await page({ pageSize: 10, filter: 'owner = o', pageToken: first.nextPageToken });
    expect([...first.featureServices, ...rest.featureServices].map(({ service }) => service)).toEqual(['b', 'd', 'f', 'g', 'h']);
  });

  test('of another filter or order take no token of this one', async () => {
    await add({ service: 'a' }, { service: 'b' });
    const { nextPageToken: pageToken } = await page({ pageSize: 1 });
    for (const other of [{ filter: 'b' }, { orderBy: 'owner' }]) await expect(page({ pageToken, ...other })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('another filter or order') });
  });
});

test('a list says which fields it may be filtered and sorted by', () => {
  const { filter, orderBy } = featureServiceQueries.find(({ name }) => name === 'ListFeatureServices')!.input.shape as Record<string, { description?: string }>;
  expect(filter!.description).toBe(
    'Conditions that all must hold, and texts to be found anywhere. Fields: service, owner, description (texts: =, !=, or : for a part); archived (true or false: =, !=); ' +
    'createdAt, updatedAt (times: =, !=, <, <=, >, >=); tags (tags.tier = "1", or tags : tier).',
  );
  expect(orderBy!.description).toBe('One of service, owner, createdAt, updatedAt, with desc behind it for the other direction; by name where it is left out.');
});
