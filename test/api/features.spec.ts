import { Metadata, type ClientDuplexStream } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { until } from '../support/until.js';
import { ownerKey } from './support/memory-core.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await testPlatform();
  await platform.rest('/api/v1/projects', { project: 'p' });
});
afterAll(() => platform.close());

const features = [
  { name: 'count', type: 'INT64', constraints: { min: 0 } },
  { name: 'score', type: 'DOUBLE' },
  { name: 'city', type: 'STRING' },
  { name: 'active', type: 'BOOL' },
  { name: 'seen', type: 'TIMESTAMP' },
  { name: 'embedding', type: 'DOUBLE_LIST', constraints: { dimensions: 2 } },
];

/** A group of its own for each test. */
let groups = 0;
async function newGroup(more: object = {}): Promise<string> {
  const group = `group_${++groups}`;
  const made = await platform.rest('/api/v1/projects/p/feature-groups', { group, entities: [{ name: 'id', type: 'INT64' }, { name: 'name', type: 'STRING' }], features, ...more });
  expect(made.code).toBe('OK');
  return group;
}

const eventTime = '2026-01-31T12:00:00.123456Z';
const eventTimeUs = Date.UTC(2026, 0, 31, 12) * 1000 + 123_456;
const entity = { id: '9007199254740993', name: 'a "quoted" \u{1F600}' };
const values = { count: '9007199254740993', score: 1.5, city: 'Köln', active: true, seen: '2020-02-02T00:00:00.000Z', embedding: [1, 2] };

/** The same row, written over each wire. */
const writers: Record<string, (group: string, row?: object, headers?: Record<string, string>) => Promise<{ code: string; message?: string; reason?: string; answer?: any }>> = {
  rest: (group, row, headers) => platform.rest(`/api/v1/projects/p/feature-groups/${group}:write`, { rows: [{ entity, eventTime, values, ...row }] }, headers),
  ndjson: (group, row, headers) => platform.rest(`/api/v1/projects/p/feature-groups/${group}:write?mode=BOTH`, `${JSON.stringify({ entity, eventTime, values, ...row })}\n\n`, { 'content-type': 'application/x-ndjson', ...headers }),
  graphql: async (group, row, headers) => {
    const outcome = await platform.graphql('mutation ($input: WriteFeaturesInput!) { writeFeatures(input: $input) { position rowsWritten rowsRejected faults { row field description } } }', {
      input: { project: 'p', group, rows: [{ entity, eventTime, values, ...row }] },
    }, headers);
    return { ...outcome, answer: outcome.answer?.writeFeatures };
  },
  'grpc rows': (group, row, headers) => platform.grpc('WriteOnline', { project: 'p', group, rows: [{ entity, eventTime, values, ...row }] }, headers),
  'grpc columns': (group, row: any = {}, headers) =>
    platform.grpc('WriteOnline', {
      project: 'p',
      group,
      batch: {
        keys: [{ name: 'id', ints: [entity.id] }, { name: 'name', strings: [entity.name], stringIndex: [0] }],
        eventTimeUs: [eventTimeUs],
        features: [
          { name: 'count', ints: [row.values?.count ?? values.count] },
          { name: 'score', doubles: [1.5] },
          { name: 'city', strings: ['Köln'] },
          { name: 'active', bools: [true] },
          { name: 'seen', timesUs: [Date.UTC(2020, 1, 2) * 1000] },
          { name: 'embedding', lists: [{ values: [1, 2] }] },
        ],
      },
    }, headers),
};

const shown = {
  entity,
  values,
  statuses: Object.fromEntries(features.map(({ name }) => [name, 'PRESENT'])),
};

describe.each(Object.keys(writers))('a row written over %s', (wire) => {
  test('is read alike over every wire, not before it is there', async () => {
    const group = await newGroup();
    const written = await writers[wire]!(group);
    expect(written).toMatchObject({ code: 'OK', answer: { rowsWritten: 1, rowsRejected: 0, faults: [] } });
    const after = { 'tarl-min-position': written.answer.position };

    const rest = await platform.rest('/api/v1/projects/p/features:readOnline', { features: [group], entities: [entity] }, after);
    expect(rest.answer.rows).toEqual([{ ...shown, eventTimes: { [group]: eventTime } }]);

    const question = `(project: "p", features: ["${group}"], `;
    const graphql = await platform.graphql(
      `query ($entity: JSON!, $entities: [JSON!]!) { readOnline${question} entities: $entities) { entity values statuses eventTimes } one: onlineFeatures${question} entity: $entity) { values } }`,
      { entity, entities: [entity] },
      after,
    );
    expect(graphql.answer).toEqual({ readOnline: rest.answer.rows, one: { values } });

    const grpc = await platform.grpc('ReadOnline', { project: 'p', features: [group], keys: [{ name: 'id', ints: [entity.id] }, { name: 'name', strings: [entity.name] }] }, after);
    expect(grpc.answer.groups).toMatchObject([{ group, eventTimeUs: [String(eventTimeUs)] }]);
    const [count, score, city, active, seen, embedding] = grpc.answer.features.map(({ values: column }: any) => column);
    expect([count.ints, score.doubles, city.strings, active.bools, seen.timesUs, embedding.lists]).toMatchObject([['9007199254740993'], [1.5], ['Köln'], [true], [String(Date.UTC(2020, 1, 2) * 1000)], [{ values: [1, 2] }]]);
  });

  test('that breaks a constraint is refused in the same words', async () => {
    const group = await newGroup();
    const refused = await writers[wire]!(group, { values: { count: -1 } });
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'ROWS_REJECTED', message: '1 of 1 rows cannot be stored, so none was; rows[0].values.count is less than 0', fields: [{ field: 'rows[0].values.count', description: 'is less than 0' }] });
  });

  test('to a group that is not there is refused', async () => {
    expect(await writers[wire]!('absent')).toMatchObject({ code: 'NOT_FOUND', reason: 'FEATURE_GROUP_NOT_FOUND' });
  });
});

describe('for whom rows are written', () => {
  const row = { entity, eventTime, values };
  /** Whether the row is seen online, and in the history. */
  async function seen(group: string, called: Promise<{ code: string; answer?: any }>): Promise<boolean[]> {
    const { code, answer } = await called;
    expect(code).toBe('OK');
    const { position } = answer.writeFeatures ?? answer;
    const online = await platform.rest('/api/v1/projects/p/features:readOnline', { features: [`${group}:city`], entities: [entity] }, { 'tarl-min-position': position });
    const history = await platform.rest('/api/v1/projects/p/features:historical', { features: [`${group}:city`], rows: [{ ...entity, event_time: '2026-02-01' }] }, { accept: 'application/json' });
    return [online.answer.rows[0].values.city, history.answer.rows[0].city].map((value) => value === 'Köln');
  }
  const mutation = 'mutation ($input: WriteFeaturesInput!) { writeFeatures(input: $input) { position } }';

  test.each([[undefined, [true, true]], ['BOTH', [true, true]], ['ONLINE', [true, false]], ['OFFLINE', [false, true]]])('is said by the mode %s, and left out it is both reads, over REST and GraphQL', async (mode, expected) => {
    const rest = await newGroup();
    expect(await seen(rest, platform.rest(`/api/v1/projects/p/feature-groups/${rest}:write`, { ...(mode && { mode }), rows: [row] }))).toEqual(expected);
    const graphql = await newGroup();
    expect(await seen(graphql, platform.graphql(mutation, { input: { project: 'p', group: graphql, ...(mode && { mode }), rows: [row] } }))).toEqual(expected);
  });

  test.each([['WriteOnline', undefined, [true, true]], ['WriteOnline', 'ONLINE', [true, false]], ['WriteOffline', undefined, [false, true]]])('is said over gRPC by the rpc %s with the mode %s', async (rpc, mode, expected) => {
    const group = await newGroup();
    expect(await seen(group, platform.grpc(rpc, { project: 'p', group, ...(mode && { mode }), rows: [row] }))).toEqual(expected);
  });
});

test.each(Object.keys(writers))('a row written twice over %s under one idempotency key is stored once', async (wire) => {
  const group = await newGroup();
  const [first, second] = [await writers[wire]!(group, {}, { 'idempotency-key': group }), await writers[wire]!(group, {}, { 'idempotency-key': group })];
  expect(first).toMatchObject({ code: 'OK', answer: { rowsWritten: 1 } });
  expect(second.answer).toEqual(first.answer);
  expect(await writers[wire]!(group, { values: { count: 7 } }, { 'idempotency-key': group })).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'IDEMPOTENCY_KEY_REUSED' });
});

describe('columns that do not fit', () => {
  const batch = { keys: [{ name: 'id', ints: [1] }, { name: 'name', strings: ['a'] }], eventTimeUs: [eventTimeUs], features: [] };
  test.each<[string, object, RegExp]>([
    ['of another length', { ...batch, features: [{ name: 'score', doubles: [1, 2] }] }, /batch\.features\[0\] of score has 2 values for 1 rows/],
    ['with two lists filled', { ...batch, features: [{ name: 'score', doubles: [1], ints: [1] }] }, /more than one list/],
    ['given twice', { ...batch, features: [{ name: 'score', doubles: [1] }, { name: 'score', doubles: [1] }] }, /like another column/],
    ['with a null beyond the rows', { ...batch, features: [{ name: 'score', doubles: [1], nulls: [1] }] }, /beyond the 1 rows/],
    ['with an index beyond the strings', { ...batch, features: [{ name: 'city', strings: ['a'], stringIndex: [1] }] }, /points beyond its strings/],
    ['without a name', { ...batch, features: [{ doubles: [1] }] }, /name is missing/],
    ['of a feature that is not there', { ...batch, features: [{ name: 'nope', doubles: [1] }] }, /values\.nope is not a feature of/],
    ['of NaN', { ...batch, features: [{ name: 'score', doubles: [NaN] }] }, /NaN and infinities cannot be stored/],
    ['without a key', { ...batch, keys: [{ name: 'id', ints: [1] }] }, /entity\.name is required/],
    ['without rows', { keys: [], eventTimeUs: [], features: [] }, /at least one row/],
  ])('%s are refused', async (_, columns, sentence) => {
    expect(await platform.grpc('WriteOnline', { project: 'p', group: await newGroup(), batch: columns })).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(sentence) });
  });

  test('or modes that the rpc does not take are refused', async () => {
    const group = await newGroup();
    expect(await platform.grpc('WriteOnline', { project: 'p', group, mode: 'OFFLINE', batch })).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/WriteOffline/) });
    expect(await platform.grpc('WriteOffline', { project: 'p', group, mode: 'BOTH', batch })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await platform.grpc('WriteOffline', { project: 'p', group, batch })).toMatchObject({ code: 'OK' });
  });
});

describe('a stream of writes', () => {
  const message = (group: string, count: number, requestId = '') => ({ requestId, write: { project: 'p', group, rows: [{ entity: { id: 1, name: 'a' }, eventTime, values: { count } }] } });
  function open(): { call: ClientDuplexStream<object, any>; answers: any[]; failure: () => Error | undefined } {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${ownerKey}`);
    const call = (platform.features as any).StreamWrite(metadata) as ClientDuplexStream<object, any>;
    const answers: any[] = [];
    let failure: Error | undefined;
    call.on('data', (answer) => answers.push(answer)).on('error', (error: Error) => (failure = error));
    return { call, answers, failure: () => failure };
  }

  test('is acknowledged message by message, in order, while it stays open', async () => {
    const group = await newGroup();
    const { call, answers } = open();
    call.write(message(group, 1, 'first'));
    await until('the first answer is there', () => answers.length === 1);
    for (let count = 2; count <= 600; count++) call.write(message(group, count, `r${count}`));
    await until('all answers are there', () => answers.length === 600);
    call.end();
    expect(answers.map(({ requestId }) => requestId)).toEqual(['first', ...Array.from({ length: 599 }, (_, index) => `r${index + 2}`)]);
    const read = await platform.rest('/api/v1/projects/p/features:readOnline', { features: [`${group}:count`], entities: [{ id: 1, name: 'a' }] }, { 'tarl-min-position': answers.at(-1).written.position });
    expect(read.answer.rows[0].values).toEqual({ count: 600 });
  });

  test('goes on after a message that is refused', async () => {
    const group = await newGroup();
    const { call, answers } = open();
    for (const count of [1, -1, 3]) call.write(message(group, count));
    call.write(message('absent', 1, 'gone'));
    call.write(message(group, 5, 'not visible ascii\n'));
    call.end();
    await until('all answers are there', () => answers.length === 5);
    expect(answers.map(({ written, refusal }) => refusal?.code ?? written.rowsWritten)).toEqual([1, 'INVALID_ARGUMENT', 1, 'NOT_FOUND', 'INVALID_ARGUMENT']);
    expect(answers[1].refusal).toMatchObject({ reason: 'ROWS_REJECTED', fields: [{ field: 'rows[0].values.count', description: 'is less than 0' }] });
  });

  test('that broke off goes on where it was: a request sent again is stored once', async () => {
    const group = await newGroup();
    const first = open();
    first.call.write(message(group, 1, `${group}-1`));
    await until('it is answered', () => first.answers.length === 1);
    first.call.cancel();
    const second = open();
    second.call.write(message(group, 1, `${group}-1`));
    second.call.write(message(group, 2, `${group}-2`));
    second.call.end();
    await until('all answers are there', () => second.answers.length === 2);
    expect(second.answers[0].written).toEqual(first.answers[0].written);
  });

  test('of bytes that are no message ends with a refusal', async () => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${ownerKey}`);
    const asIs = (bytes: Buffer) => bytes;
    const call = platform.features.makeBidiStreamRequest('/tarl.features.v1.Features/StreamWrite', asIs, asIs, metadata);
    let failure: (Error & { code?: number }) | undefined;
    call.on('error', (error: Error) => (failure = error)).on('data', () => {});
    call.write(Buffer.from([0x0a, 0xff]));
    await until('it has failed', () => failure);
    expect(failure).toMatchObject({ code: 3, message: expect.stringMatching(/does not decode/) });
    expect(platform.log.filter(({ code }) => code === 'INTERNAL')).toEqual([]);
  });
});

test('new values of chosen entities are delivered as they are written, older ones are not', async () => {
  const group = await newGroup({ entities: [{ name: 'id', type: 'INT64' }] });
  const write = async (id: number, at: string, count: number) => platform.rest(`/api/v1/projects/p/feature-groups/${group}:write`, { rows: [{ entity: { id }, eventTime: at, values: { count } }] });
  const before = await write(1, '2026-01-05T00:00:00Z', 5);
  await platform.rest('/api/v1/projects/p/features:readOnline', { features: [group], entities: [] }, { 'tarl-min-position': before.answer.position });
  const client = createClient({ url: platform.addresses.graphql.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization: `Bearer ${ownerKey}` } });
  const news = client.iterate<any>({ query: `subscription { featureValues(project: "p", group: "${group}", entities: [{ id: 1 }]) { entity eventTime values position } }` });
  const next = news.next();
  // What is written before the subscription stands is no news, so it is written until there is some.
  let count = 10;
  const first = await Promise.race([next, until('it is delivered', async () => void (await write(1, '2026-01-06T00:00:00Z', ++count)))]) as IteratorResult<any>;
  expect(first.value.data.featureValues).toMatchObject({ entity: { id: 1 }, eventTime: '2026-01-06T00:00:00.000Z', values: { score: null } });
  await write(1, '2026-01-04T00:00:00Z', 4);
  await write(2, '2026-01-09T00:00:00Z', 9);
  const last = await write(1, '2026-01-07T00:00:00Z', 7);
  for await (const { data } of news) {
    expect([4, 9]).not.toContain(data.featureValues.values.count);
    if (data.featureValues.position === last.answer.position) break;
  }
  await client.dispose();
});

test('who follows an entity hears that it is deleted, and of what is written afterwards, however old it is', async () => {
  const group = await newGroup({ entities: [{ name: 'id', type: 'INT64' }] });
  const write = async (at: string, count: number) => platform.rest(`/api/v1/projects/p/feature-groups/${group}:write`, { rows: [{ entity: { id: 1 }, eventTime: at, values: { count } }] });
  const client = createClient({ url: platform.addresses.graphql.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization: `Bearer ${ownerKey}` } });
  const news = client.iterate<any>({ query: `subscription { featureValues(project: "p", group: "${group}", entities: [{ id: 1 }]) { eventTime deleted values position } }` });
  let count = 10;
  await Promise.race([news.next(), until('it is delivered', async () => void (await write('2026-01-06T00:00:00Z', ++count)))]);
  const removed = await platform.rest(`/api/v1/projects/p/feature-groups/${group}:deleteEntity`, { entity: { id: 1 } });
  for await (const { data } of news) {
    if (!data.featureValues.deleted) continue;
    expect(data.featureValues).toMatchObject({ eventTime: null, deleted: true, values: { count: null }, position: removed.answer.position });
    break;
  }
  await client.dispose();
});

test('a subscription that comes as a query is told where subscriptions are served', async () => {
  const query = 'subscription { featureValues(project: "p", group: "g", entities: [{ id: 1 }]) { values } }';
  for (let count = 0; count < 4; count++) expect(await platform.graphql(query)).toMatchObject({ code: 'UNIMPLEMENTED', reason: 'SUBSCRIPTION_OVER_HTTP' });
});

test('questions about single entities of one GraphQL request are answered together', async () => {
  const group = await newGroup();
  const aliases = Array.from({ length: 5 }, (_, index) => `e${index}: onlineFeatures(project: "p", features: ["${group}:count"], entity: { id: ${index}, name: "a" }) { statuses }`);
  expect((await platform.graphql(`{ ${aliases.join(' ')} }`)).answer).toMatchObject({ e0: { statuses: { count: 'NOT_FOUND' } }, e4: { statuses: { count: 'NOT_FOUND' } } });
});

test('who asks for no entities is answered with none, on every wire', async () => {
  const group = await newGroup();
  for (const verb of ['readOnline', 'readAsOf']) expect(await platform.rest(`/api/v1/projects/p/features:${verb}`, { features: [group], entities: [] })).toMatchObject({ code: 'OK', answer: { rows: [] } });
  expect(await platform.rest('/api/v1/projects/p/features:readOffline', { features: [group], entities: [] }, { accept: 'application/json' })).toMatchObject({ code: 'OK', answer: { rows: [] } });
  for (const rpc of ['ReadOnline', 'ReadAsOf']) expect((await platform.grpc(rpc, { project: 'p', features: [group], entities: [] })).answer.features.map(({ name }: any) => name)).toEqual(expect.arrayContaining(['count', 'score']));
  expect(await platform.graphql(`{ readOnline(project: "p", features: ["${group}"], entities: []) { values } }`)).toMatchObject({ code: 'OK', answer: { readOnline: [] } });
  expect(await platform.rest('/api/v1/projects/p/features:readOnline', { features: ['absent'], entities: [] })).toMatchObject({ code: 'NOT_FOUND' });
});

test('who names no keys of the entities asked for is told which', async () => {
  const group = await newGroup();
  const refused = { code: 'INVALID_ARGUMENT', reason: 'KEY_MISSING', fields: [{ field: 'entities.id', description: `is needed as a key of ${group}` }] };
  expect(await platform.rest('/api/v1/projects/p/features:readOnline', { features: [group], entities: [{}] })).toMatchObject(refused);
  expect(await platform.grpc('ReadOnline', { project: 'p', features: [group], entities: [{ key: {} }] })).toMatchObject(refused);
  expect(await platform.graphql(`{ readOnline(project: "p", features: ["${group}"], entities: [{}]) { values } }`)).toMatchObject(refused);
  expect(await platform.rest('/api/v1/projects/p/features:readOnline', { features: [group] })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'entities', description: 'is required' }] });
});
