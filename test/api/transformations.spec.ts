import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { callGrpc, callRest } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let client: Client;
let written: string;
const transformations = '/api/v1/projects/p/transformations';
const read = '/api/v1/projects/p/features';

beforeAll(async () => {
  platform = await testPlatform();
  const loaded = loadPackageDefinition(loadProtos(['tarl/features/v1/transformations.proto'])) as any;
  client = new loaded.tarl.features.v1.Transformations(platform.addresses.grpc, credentials.createInsecure());
  await ok(platform.rest('/api/v1/projects', { project: 'p' }));
  await ok(platform.rest('/api/v1/projects/p/feature-groups', { group: 'cards', entities: [{ name: 'card', type: 'INT64' }], features: [{ name: 'amount', type: 'DOUBLE' }, { name: 'limit', type: 'INT64' }, { name: 'country', type: 'STRING' }], ttlSeconds: 0 }));
  await ok(platform.rest('/api/v1/projects/p/feature-groups', { group: 'shops', entities: [{ name: 'shop', type: 'STRING' }], features: [{ name: 'turnover', type: 'DOUBLE' }], ttlSeconds: 3600 }));
  await ok(platform.rest('/api/v1/projects/p/feature-groups/cards:write', { rows: [
    { entity: { card: 1 }, eventTime: '2026-01-01', values: { amount: 8, limit: 2, country: 'DE' } },
    { entity: { card: 1 }, eventTime: '2026-01-02', values: { amount: 18, limit: 4, country: 'FR' } },
    { entity: { card: 2 }, eventTime: '2026-01-01', values: { limit: 0 } },
  ] }));
  written = (await ok(platform.rest('/api/v1/projects/p/feature-groups/shops:write', { rows: [{ entity: { shop: 'a' }, eventTime: '2026-01-01', values: { turnover: 100 } }] }))).position;
});
afterAll(async () => {
  client.close();
  await platform.close();
});

async function ok(called: Promise<{ code: string; message?: string; answer?: any }>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}

const get = (path: string, headers?: Record<string, string>) => ok(callRest(platform.addresses.rest, 'GET', path, undefined, headers));

let made = 0;
const inputs = [{ name: 'amount', feature: 'cards:amount', type: 'DOUBLE' }, { name: 'most', feature: 'cards:limit', type: 'INT64' }];
async function register(outputs: object[], more: object = {}): Promise<string> {
  const transformation = `made_${++made}`;
  await ok(platform.rest(transformations, { transformation, inputs, outputs, ...more }));
  return transformation;
}

const online = async (features: string[], entities: object[], more: object = {}) => (await ok(platform.rest(`${read}:readOnline`, { features, entities, ...more }, { 'tarl-min-position': written }))).rows;

describe('a transformation', () => {
  test('is computed by online reads, as-of reads and training sets, over every wire', async () => {
    const name = await register([{ name: 'used', expression: 'amount / most' }, { name: 'high', expression: 'used > 4' }]);
    const features = ['cards:amount', `${name}`];
    expect(await online(features, [{ card: 1 }])).toMatchObject([{ values: { amount: 18, used: 4.5, high: true }, statuses: { used: 'PRESENT' }, eventTimes: { cards: '2026-01-02T00:00:00.000Z' } }]);
    const asOf = await ok(platform.rest(`${read}:readAsOf`, { features, entities: [{ card: 1 }], at: '2026-01-01T12:00:00Z' }));
    expect(asOf.rows).toMatchObject([{ values: { amount: 8, used: 4, high: false } }]);
    const rows = [{ card: 1, event_time: '2026-01-01T12:00:00Z' }, { card: 1, event_time: '2026-01-03T00:00:00Z' }, { card: 7, event_time: '2026-01-03T00:00:00Z' }];
    const history = await ok(platform.rest(`${read}:historical`, { features: [`${name}:used`], rows }, { accept: 'application/json' }));
    expect(history.rows.map(({ used }: any) => used)).toEqual([4, 4.5, null]);
    expect(Object.keys(history.rows[0])).toEqual(['card', 'event_time', 'used']);

    const grpc = await ok(platform.grpc('ReadOnline', { project: 'p', features, entities: [{ key: { card: 1 } }] }));
    expect(grpc.features.map(({ name: column, group }: any) => `${group}:${column}`)).toEqual(['cards:amount', `${name}:used`, `${name}:high`]);
    const graphql = await ok(platform.graphql('query ($features: [String!]!, $entity: JSON!) { readOnline(project: "p", features: $features, entities: [$entity]) { values } }', { features, entity: { card: 1 } }));
    expect(graphql.readOnline).toEqual([{ values: { amount: 18, used: 4.5, high: true } }]);
  });

  test('takes features of several groups, is as old as the oldest of them, and not there where none of them is', async () => {
    const both = [...inputs, { name: 'turnover', feature: 'shops:turnover', type: 'DOUBLE' }];
    const name = await register([{ name: 'share', expression: 'amount / turnover' }, { name: 'own', expression: 'amount * 2' }, { name: 'filled', expression: 'coalesce(turnover, 0.0)' }], { inputs: both });
    const rows = await online([name], [{ card: 1, shop: 'a' }, { card: 1, shop: 'none' }, { card: 9, shop: 'none' }]);
    expect(rows.map(({ values, statuses }: any) => ({ values, statuses }))).toEqual([
      { values: { share: 0.18, own: 36, filled: 100 }, statuses: { share: 'OUTSIDE_MAX_AGE', own: 'PRESENT', filled: 'OUTSIDE_MAX_AGE' } },
      { values: { share: null, own: 36, filled: 0 }, statuses: { share: 'NULL_VALUE', own: 'PRESENT', filled: 'PRESENT' } },
      { values: { share: null, own: null, filled: 0 }, statuses: { share: 'NOT_FOUND', own: 'NOT_FOUND', filled: 'PRESENT' } },
    ]);
  });

  test('is joined twice under aliases, which say where the keys of its inputs are', async () => {
    const name = await register([{ name: 'used', expression: 'amount / most' }]);
    const rows = [{ payer: 1, payee: 2, event_time: '2026-01-03T00:00:00Z' }, { payer: 2, payee: 1, event_time: '2026-01-01T12:00:00Z' }];
    const aliases = [{ alias: 'payer', group: name, keyColumns: { card: 'payer' } }, { alias: 'payee', group: 'cards', keyColumns: { card: 'payee' } }];
    const history = await ok(platform.rest(`${read}:historical`, { features: ['payer:used', 'payee:limit'], aliases, fullNames: true, rows }, { accept: 'application/json' }));
    expect(history.rows.map(({ payer__used, payee__limit }: any) => [payer__used, payee__limit])).toEqual([[4.5, 0], [null, 2]]);
  });

  test('stands in a service, and services are refused what it does not give', async () => {
    const name = await register([{ name: 'doubled', expression: 'amount * 2' }]);
    await ok(platform.rest('/api/v1/projects/p/feature-services', { service: `s_${name}`, features: [`${name}:doubled`, 'cards:limit'] }));
    expect((await ok(platform.rest(`${read}:readOnline`, { service: `s_${name}`, entities: [{ card: 1 }] }))).rows[0].values).toEqual({ doubled: 36, limit: 4 });
    const refused = await platform.rest('/api/v1/projects/p/feature-services', { service: 'refused', features: [`${name}:nope`] });
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', message: `features[0] names nope, which ${name} does not give` });
  });

  test('that changes has a new version; the bare name means it, the old one is read by its number, and an old question stays as it was', async () => {
    const name = await register([{ name: 'x', expression: 'amount + 1' }]);
    const { knownAt } = await ok(platform.rest(`${read}:readAsOf`, { features: [name], entities: [{ card: 1 }] }));
    const again = await ok(platform.rest(transformations, { transformation: name, inputs, outputs: [{ name: 'x', expression: 'amount + 1' }] }));
    expect(again.changed).toBe(false);
    const { position } = await ok(platform.rest(transformations, { transformation: name, inputs, outputs: [{ name: 'x', expression: 'amount + 2' }], owner: 'risk' }));
    expect((await online([`${name}:x`, `${name}@1:x`], [{ card: 1 }], { fullNames: true }))[0].values).toEqual({ [`${name}__x`]: 20, [`${name}@1__x`]: 19 });
    expect((await ok(platform.rest(`${read}:readAsOf`, { features: [name], entities: [{ card: 1 }], knownAt }))).rows[0].values).toEqual({ x: 19 });
    const row = await get(`${transformations}/${name}`, { 'tarl-min-position': position });
    expect(row).toMatchObject({ version: 2, owner: 'risk', outputs: [{ name: 'x', expression: 'amount + 2', type: 'DOUBLE' }], versions: [{ version: 1 }, { version: 2 }] });
    expect(await platform.rest(`${read}:readOnline`, { features: [`${name}@3:x`], entities: [{ card: 1 }] })).toMatchObject({ code: 'NOT_FOUND', reason: 'TRANSFORMATION_VERSION_NOT_FOUND' });
  });

  test('is registered, found and listed over gRPC and GraphQL too', async () => {
    const outputs = [{ name: 'z', normalize: { input: 'amount', mean: 10, std: 4 } }, { name: 'hot', oneHot: { input: 'country', categories: ['DE', 'FR'] } }, { name: 'bucket', hash: { input: 'country', buckets: 8 } }];
    const given = [...inputs, { name: 'country', feature: 'cards:country', type: 'STRING' }];
    const { position } = await ok(callGrpc(client, 'RegisterTransformation', { project: 'p', transformation: 'over_grpc', inputs: given, outputs, tags: { tier: '1' } }));
    expect((await online(['over_grpc'], [{ card: 1 }]))[0].values).toEqual({ z: 2, hot: [0, 1], bucket: expect.any(Number) });
    const listed = await ok(callGrpc(client, 'ListTransformations', { project: 'p', filter: 'tags.tier = "1" AND "cards:country"' }, { 'tarl-min-position': position }));
    expect(listed.transformations.map(({ transformation }: any) => transformation)).toEqual(['over_grpc']);
    const registered = await ok(platform.graphql('mutation ($inputs: [InputFeatureInput!]!) { registerTransformation(input: { project: "p", transformation: "over_graphql", inputs: $inputs, outputs: [{ name: "c", clip: { input: "amount", max: 10 } }] }) { changed position } }', { inputs }));
    expect(registered.registerTransformation.changed).toBe(true);
    expect((await online(['over_graphql'], [{ card: 1 }]))[0].values).toEqual({ c: 10 });
  });

  test('has a name that no group has, and takes features that there are, with their types', async () => {
    const refuse = (more: object) => platform.rest(transformations, { transformation: 'refused', inputs, outputs: [{ name: 'x', expression: 'amount' }], ...more });
    expect(await refuse({ transformation: 'cards' })).toMatchObject({ code: 'ALREADY_EXISTS', reason: 'NAME_TAKEN' });
    expect(await refuse({ inputs: [{ name: 'amount', feature: 'nope:x', type: 'DOUBLE' }] })).toMatchObject({ code: 'NOT_FOUND', reason: 'FEATURE_GROUP_NOT_FOUND' });
    expect(await refuse({ inputs: [{ name: 'amount', feature: 'cards:x', type: 'DOUBLE' }] })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'inputs[0].feature', description: 'names x, which cards does not have' }] });
    expect(await refuse({ inputs: [{ name: 'amount', feature: 'cards:amount', type: 'INT64' }] })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'inputs[0].type', description: 'is INT64, but cards:amount is DOUBLE' }] });
    const name = await register([{ name: 'x', expression: 'amount' }]);
    expect(await platform.rest('/api/v1/projects/p/feature-groups', { group: name, entities: [{ name: 'id', type: 'INT64' }] })).toMatchObject({ code: 'ALREADY_EXISTS', reason: 'NAME_TAKEN' });
  });

  const hostile: [string, string][] = [
    ['deep nesting', `${'('.repeat(400)}amount${')'.repeat(400)}`],
    ['deep negation', `${'-'.repeat(900)}amount`],
    ['a huge number', '1e999'],
    ['a huge power', 'pow(10, 400)'],
    ['division by zero', '1 / 0'],
    ['a prototype', '__proto__'],
    ['a constructor', 'constructor'],
    ['a constructor called', 'constructor("return process")()'],
    ['a member', 'amount.constructor'],
    ['a member by text', 'amount["constructor"]'],
    ['this', 'this'],
    ['an unknown name', 'nope + 1'],
    ['an unknown function', 'eval("1")'],
    ['several expressions', 'amount; amount'],
    ['an assignment', 'amount = 1'],
    ['a list', '[amount]'],
    ['text and number', 'amount + "a"'],
    ['bits', 'most | 1'],
    ['what cannot be read', 'amount +'],
    ['nothing', ' '],
    ['null alone', 'null'],
    ['too much', Array.from({ length: 140 }, () => 'amount').join('+')],
  ];
  test.each(hostile)('that holds %s is refused on all wires, with the field and the place', async (_what, expression) => {
    const input = { transformation: 'hostile', inputs, outputs: [{ name: 'fine', expression: 'amount' }, { name: 'x', expression }] };
    const refused = { code: 'INVALID_ARGUMENT', fields: [{ field: 'outputs[1].expression', description: expect.stringMatching(/^at character \d+: |null for every row/) }] };
    expect(await platform.rest(transformations, input)).toMatchObject(refused);
    expect(await callGrpc(client, 'RegisterTransformation', { project: 'p', ...input })).toMatchObject(refused);
    expect(await platform.graphql('mutation ($input: RegisterTransformationInput!) { registerTransformation(input: $input) { position } }', { input: { project: 'p', ...input } })).toMatchObject(refused);
  });
});

describe('a feature that a transformation computes on write', () => {
  const groups = '/api/v1/projects/p/feature-groups';
  let group: string;
  let usage: string;

  beforeAll(async () => {
    group = 'trips';
    usage = 'usage';
    await ok(platform.rest(groups, { group, entities: [{ name: 'id', type: 'INT64' }], features: [{ name: 'km', type: 'DOUBLE' }, { name: 'hours', type: 'DOUBLE' }] }));
    await ok(platform.rest(transformations, {
      transformation: usage,
      inputs: [{ name: 'km', feature: 'trips:km', type: 'DOUBLE' }, { name: 'hours', feature: 'trips:hours', type: 'DOUBLE' }],
      outputs: [{ name: 'speed', expression: 'km / hours' }, { name: 'fast', expression: 'speed > 100' }, { name: 'n', window: { aggregate: 'COUNT', durationSeconds: 60 } }],
    }));
  });

  const stage = (features: object[]) => platform.rest(`${groups}/${group}:stageVersion`, { features });
  const base = [{ name: 'km', type: 'DOUBLE' }, { name: 'hours', type: 'DOUBLE' }];
  const speed = { name: 'speed', type: 'DOUBLE', transformation: 'usage@1:speed' };

  test('stands in the row, is checked like any other, and is computed by its version until another is staged', async () => {
    await ok(platform.rest(`${groups}/${group}:registerFeature`, { feature: { ...speed, constraints: { max: 300 } } }));
    const write = (more: object, values: object) => platform.rest(`${groups}/${group}:write`, { rows: [{ entity: { id: 1 }, eventTime: '2026-01-01', values }], ...more });
    let { position } = await ok(write({}, { km: 50, hours: 2 }));
    const speedOnline = async (feature: string) => (await ok(platform.rest(`${read}:readOnline`, { features: [feature], entities: [{ id: 1 }] }, { 'tarl-min-position': position }))).rows[0];
    expect(await speedOnline('trips:speed')).toMatchObject({ values: { speed: 25 }, statuses: { speed: 'PRESENT' } });
    expect(await write({}, { km: 900, hours: 2 })).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'ROWS_REJECTED', fields: [{ field: 'rows[0].values.speed', description: 'is greater than 300' }] });
    expect(await write({}, { km: 50, hours: 2, speed: 25 })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'rows[0].values.speed', description: 'is computed by usage@1:speed, so no row gives it' }] });
    ({ position } = await ok(write({}, { km: 50, hours: 0 })));
    expect(await speedOnline('trips:speed')).toMatchObject({ values: { speed: null }, statuses: { speed: 'NULL_VALUE' } });

    await ok(platform.rest(transformations, { transformation: usage, inputs: [{ name: 'km', feature: 'trips:km', type: 'DOUBLE' }, { name: 'hours', feature: 'trips:hours', type: 'DOUBLE' }], outputs: [{ name: 'speed', expression: 'km / hours / 2' }] }));
    ({ position } = await ok(write({}, { km: 50, hours: 2 })));
    expect((await speedOnline('trips:speed')).values).toEqual({ speed: 25 });
    await ok(stage([...base, { ...speed, transformation: 'usage@2:speed' }]));
    ({ position } = await ok(write({ version: 2 }, { km: 50, hours: 2 })));
    expect((await speedOnline('trips@2:speed')).values).toEqual({ speed: 12.5 });
    const history = await ok(platform.rest(`${read}:historical`, { features: ['trips@2:speed'], rows: [{ id: 1, event_time: '2026-01-02T00:00:00Z' }] }, { accept: 'application/json' }));
    expect(history.rows[0].speed).toBe(12.5);
  });

  test('may be made of one that stands before it', async () => {
    await ok(platform.rest(transformations, { transformation: 'of_speed', inputs: [{ name: 'speed', feature: 'trips:speed', type: 'DOUBLE' }], outputs: [{ name: 'x', expression: 'speed + 1' }] }));
    await ok(stage([...base, speed, { name: 'more', type: 'DOUBLE', transformation: 'of_speed@1:x' }]));
    const { position } = await ok(platform.rest(`${groups}/${group}:write`, { version: 3, rows: [{ entity: { id: 2 }, eventTime: '2026-01-01', values: { km: 30, hours: 3 } }] }));
    expect((await ok(platform.rest(`${read}:readOnline`, { features: ['trips@3:more'], entities: [{ id: 2 }] }, { 'tarl-min-position': position }))).rows[0].values).toEqual({ more: 11 });
  });

  test.each<[string, object[], string, string]>([
    ['of a transformation that is not there', [...base, { ...speed, transformation: 'nope@1:speed' }], '', 'Transformation nope does not exist'],
    ['of a version that is not there', [...base, { ...speed, transformation: 'usage@9:speed' }], '', 'has no version 9'],
    ['of no version', [...base, { ...speed, transformation: 'usage:speed' }], 'features[2].transformation', 'takes transformation@version:output'],
    ['of an output that is not there', [...base, { ...speed, transformation: 'usage@1:nope' }], 'features[2].transformation', 'names nope, which usage@1 does not give'],
    ['of another type', [...base, { ...speed, type: 'INT64' }], 'features[2].type', 'is INT64, but usage@1:speed is DOUBLE'],
    ['of a window', [...base, { name: 'n', type: 'INT64', transformation: 'usage@1:n' }], 'features[2].transformation', 'windows over rows'],
    ['before what it is made of', [speed, ...base], 'features[0].transformation', 'which does not stand before it'],
    ['of what has another type here', [{ name: 'km', type: 'INT64' }, base[1]!, speed], 'features[2].transformation', 'which is INT64 here'],
  ])('%s is refused', async (_what, features, field, sentence) => {
    const refused = await stage(features);
    expect(refused.message).toContain(sentence);
    if (field) expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field }] });
    else expect(refused.code).toBe('NOT_FOUND');
  });
});

describe('windows over rows', () => {
  const groups = '/api/v1/projects/p/feature-groups';
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
  const write = async (rows: [number, string, number | null][], more: object = {}): Promise<string> =>
    (await ok(platform.rest(`${groups}/payments:write`, { rows: rows.map(([card, eventTime, amount]) => ({ entity: { card }, eventTime, values: { amount } })), ...more }))).position;
  const features = ['recent'];
  const now = async (card: number | null, position: string, names = features) => (await ok(platform.rest(`${read}:readOnline`, { features: names, entities: [{ card }] }, { 'tarl-min-position': position }))).rows[0];

  beforeAll(async () => {
    await ok(platform.rest(groups, { group: 'payments', entities: [{ name: 'card', type: 'INT64' }], features: [{ name: 'amount', type: 'DOUBLE' }], ttlSeconds: 60 }));
    await write([[1, ago(7200), 1000], [1, ago(1800), 10]]);
    await ok(platform.rest(transformations, {
      transformation: 'recent',
      inputs: [{ name: 'amount', feature: 'payments:amount', type: 'DOUBLE' }],
      outputs: [
        { name: 'n', window: { aggregate: 'COUNT', durationSeconds: 3600 } },
        { name: 'sum', window: { aggregate: 'SUM', input: 'amount', durationSeconds: 3600 } },
        { name: 'last', window: { aggregate: 'LAST', input: 'amount', durationSeconds: 3600 } },
        { name: 'mean', expression: 'sum / n' },
      ],
    }));
  });

  test('are those of the read\'s own time online, with rows written before the transformation, late rows, corrections and deletions', async () => {
    const first = await now(1, await write([[2, ago(10), 5]]));
    expect(first).toMatchObject({ values: { n: 1, sum: 10, last: 10, mean: 10 }, statuses: { n: 'PRESENT', sum: 'PRESENT' } });
    const late = ago(2400);
    expect((await now(1, await write([[1, ago(5), 20], [1, late, 3]]))).values).toEqual({ n: 3, sum: 33, last: 20, mean: 11 });
    expect((await now(1, await write([[1, late, 6]]))).values).toEqual({ n: 3, sum: 36, last: 20, mean: 12 });
    expect((await now(1, await write([[1, ago(1), null], [1, ago(-600), 500]]))).values).toEqual({ n: 4, sum: 36, last: 20, mean: 9 });
    expect((await now(1, await write([[1, ago(2), 77]], { mode: 'OFFLINE' }))).values).toMatchObject({ n: 4 });
    const { position } = await ok(platform.rest(`${groups}/payments:deleteEntity`, { entity: { card: 1 } }));
    expect(await now(1, position)).toMatchObject({ values: { n: 0, sum: null, last: null, mean: null }, statuses: { n: 'PRESENT', sum: 'NOT_FOUND', mean: 'NULL_VALUE' } });
    expect(await now(null, position)).toMatchObject({ values: { n: null, sum: null }, statuses: { n: 'NOT_FOUND', sum: 'NOT_FOUND', mean: 'NOT_FOUND' } });
  });

  test('are those of each row\'s time in the past, from what was known, in as-of reads, training sets and over gRPC', async () => {
    const position = await write([[5, '2026-01-01T00:00:00Z', 1], [5, '2026-01-01T00:30:00Z', 2], [5, '2026-01-01T01:00:00Z', 4]]);
    await write([[5, '2026-01-01T00:45:00Z', 8]]);
    const asOf = async (at: string, more: object = {}) => (await ok(platform.rest(`${read}:readAsOf`, { features, entities: [{ card: 5 }], at, ...more }))).rows[0];
    expect((await asOf('2026-01-01T01:00:00Z')).values).toEqual({ n: 3, sum: 14, last: 4, mean: 14 / 3 });
    expect((await asOf('2026-01-01T01:00:00Z', { knownAt: { position } })).values).toEqual({ n: 2, sum: 6, last: 4, mean: 3 });
    expect(await asOf('2025-12-31T00:00:00Z')).toMatchObject({ values: { n: 0, sum: null }, statuses: { n: 'PRESENT', sum: 'NOT_FOUND' } });
    const rows = ['2026-01-01T00:00:00Z', '2026-01-01T00:59:59Z', '2026-01-01T01:00:00Z'].map((event_time) => ({ card: 5, event_time }));
    const history = async (more: object) => (await ok(platform.rest(`${read}:historical`, { features: ['recent:n', 'recent:sum', 'payments:amount'], rows, ...more }, { accept: 'application/json' }))).rows.map(({ n, sum, amount }: any) => [n, sum, amount]);
    expect(await history({})).toEqual([[1, 1, 1], [3, 11, null], [3, 14, 4]]);
    expect(await history({ knownAt: { position } })).toEqual([[1, 1, 1], [2, 3, null], [2, 6, 4]]);
    expect(await history({ knownAt: { rowTime: true } })).toEqual([[0, null, null], [0, null, null], [0, null, null]]);
    const grpc = await ok(platform.grpc('ReadAsOf', { project: 'p', features: ['recent:sum'], entities: [{ key: { card: 5 } }], at: '2026-01-01T01:00:00Z' }));
    expect(grpc.features.map(({ name }: any) => name)).toEqual(['sum']);
    const { knownAt } = await ok(platform.rest(`${read}:readAsOf`, { features, entities: [{ card: 5 }], at: '2026-01-01T01:00:00Z' }));
    await ok(platform.rest(`${groups}/payments:deleteEntity`, { entity: { card: 5 } }));
    expect(await asOf('2026-01-01T01:00:00Z', { knownAt })).toMatchObject({ values: { n: null, sum: null, mean: null }, statuses: { n: 'DELETED', sum: 'DELETED', mean: 'DELETED' } });
  });
});
