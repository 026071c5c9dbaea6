import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Contents } from '../../src/platform/contents.js';
import { callGrpc, callRest } from './support/clients.js';
import { ownerKey } from './support/memory-core.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
const project = '/api/v1/projects/p';
const sets = `${project}/training-sets`;
const group = `${project}/feature-groups/cards`;

beforeAll(async () => {
  platform = await testPlatform();
  await ok(platform.rest('/api/v1/projects', { project: 'p' }));
  await ok(platform.rest(`${project}/feature-groups`, { group: 'cards', entities: [{ name: 'card', type: 'STRING' }], features: [{ name: 'amount', type: 'INT64' }, { name: 'where', type: 'STRING' }], ttlSeconds: 86_400 }));
  await ok(platform.rest(`${project}/feature-services`, { service: 'risk', features: ['cards:amount'] }));
});
afterAll(() => platform.close());

async function ok(called: Promise<{ code: string; message?: string; answer?: any }>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}

const get = (path: string, headers?: Record<string, string>) => callRest(platform.addresses.rest, 'GET', path, undefined, headers);
const write = (rows: readonly (readonly [card: string, eventTime: string, amount: number, where: string])[]) =>
  ok(platform.rest(`${group}:write`, { rows: rows.map(([card, eventTime, amount, where]) => ({ entity: { card }, eventTime, values: { amount, where } })) }));
const verify = (name: string) => ok(get(`${sets}/${name}:verify`));
const rowsOf = async (name: string) => (await ok(get(`${sets}/${name}/rows`, { accept: 'application/json' }))).rows;
const rpc = (name: string, message: object) => callGrpc(platform.trainingSets, name, message);

let made = 0;
/** Cards of their own for a test, with two rows each, and the rows of a question for them. */
async function someCards() {
  const [a, b] = [`a${++made}`, `b${made}`];
  await write([[a, '2026-01-01T10:00:00Z', 1, 'here'], [a, '2026-01-01T12:00:00Z', 2, 'there'], [b, '2026-01-01T11:00:00Z', 9_007_199_254_740_991, 'far']]);
  const rows = [{ card: a, event_time: '2026-01-01T11:00:00Z', label: 'x' }, { card: b, event_time: '2026-01-01 12:00:00', label: 7 }, { card: a, event_time: '2026-01-03T12:00:00.000001Z', label: { deep: [1] } }];
  const expected = [{ ...rows[0], amount: 1, where: 'here' }, { ...rows[1], amount: 9_007_199_254_740_991, where: 'far' }, { ...rows[2], amount: null, where: null }];
  return { a, b, rows, expected };
}

/** A save over gRPC, the rows in as many messages as there are. */
function save(messages: readonly object[]): Promise<any> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${ownerKey}`);
  return new Promise((resolve, reject) => {
    const call = (platform.trainingSets as any).SaveTrainingSet(metadata, (error: ServiceError | null, reply: unknown) => (error ? reject(error) : resolve(reply)));
    for (const message of messages) call.write(message);
    call.end();
  });
}

function download(trainingSet: string): Promise<any[]> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${ownerKey}`);
  return new Promise((resolve, reject) => {
    const batches: any[] = [];
    (platform.trainingSets as any).DownloadTrainingSet({ project: 'p', trainingSet }, metadata).on('data', (batch: unknown) => batches.push(batch)).on('end', () => resolve(batches)).on('error', reject);
  });
}

/** Everything after which a training set must still be the same. */
async function muchLater(a: string): Promise<void> {
  await write([[a, '2026-01-01T10:30:00Z', 77, 'late'], [a, '2026-02-01', 3, 'new'], ['other', '2026-01-01', 1, '']]);
  await ok(platform.rest(`${group}:registerFeature`, { feature: { name: `more_${++made}`, type: 'BOOL' } }));
  const { position } = await ok(platform.rest(`${group}:changeTtl`, { ttlSeconds: 86_400 + made }));
  const { features } = await ok(get(group, { 'tarl-min-position': position }));
  await ok(platform.rest(`${group}:stageVersion`, { features: [...features, { name: `staged_${made}`, type: 'DOUBLE' }] }));
  const version = made;
  const { versions } = await ok(get(group, { 'tarl-min-position': (await ok(platform.rest(`${group}:describe`, { owner: `owner ${version}` }))).position }));
  await ok(platform.rest(`${group}:promoteVersion`, { version: versions.at(-1).version }));
  await write([[a, '2026-01-01T10:45:00Z', 78, 'later']]);
  await ok(platform.rest(`${group}:rollBack`, {}));
  await ok(platform.rest(`${project}/feature-services/risk:change`, { features: ['cards:where', 'cards:amount'], fullNames: version % 2 === 0 }));
}

describe.each([[true], [false]])('a training set whose rows are stored: %s', (storeRows) => {
  test('is proved to be the same after late rows, registrations, promotions and changes of TTL, and gives its rows', async () => {
    const { a, rows, expected } = await someCards();
    const name = `all_${storeRows}`;
    const saved = await ok(platform.rest(sets, { trainingSet: name, features: ['cards:amount', 'cards:where'], rows, storeRows }));
    expect(saved).toMatchObject({ changed: true, rows: 3, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await muchLater(a);
    expect(await verify(name)).toEqual({ verdict: 'SAME', said: expect.any(String), hash: saved.hash, savedHash: saved.hash, rows: 3, savedRows: 3, hiddenRows: 0, savedHiddenRows: 0 });
    expect(await rowsOf(name)).toEqual(expected);
  });

  test('by a service over a range of all entities is proved to be the same, too', async () => {
    const { a } = await someCards();
    const name = `range_${storeRows}`;
    const { hash, rows } = await ok(platform.rest(sets, { trainingSet: name, service: 'risk', start: '2025-12-01', storeRows }));
    const before = await rowsOf(name);
    expect(before).toHaveLength(rows);
    await muchLater(a);
    expect(await verify(name)).toMatchObject({ verdict: 'SAME', hash });
    expect(await rowsOf(name)).toEqual(before);
    expect(await ok(get(`${sets}/${name}`))).toMatchObject({ trainingSet: name, service: 'risk', range: { start: '2025-12-01T00:00:00.000Z' }, entityRows: null, stored: storeRows, hash });
  });

  test('says that it differs because an entity was deleted, and hides its values', async () => {
    const { a, rows, expected } = await someCards();
    const name = `deleted_${storeRows}`;
    const { hash } = await ok(platform.rest(sets, { trainingSet: name, features: ['cards:amount', 'cards:where'], rows, storeRows }));
    await ok(platform.rest(`${group}:deleteEntity`, { entity: { card: a } }));
    const found = await verify(name);
    expect(found).toMatchObject({ verdict: 'ENTITIES_DELETED', said: expect.stringContaining('deleted since'), savedHash: hash, hiddenRows: 1, savedHiddenRows: 0 });
    expect(found.hash).not.toBe(hash);
    expect(found.firstDifference).toEqual(storeRows ? { row: 0, columns: ['amount', 'where'] } : undefined);
    expect(await rowsOf(name)).toEqual([{ ...expected[0], amount: null, where: null }, ...expected.slice(1)]);
    expect((await get(`${sets}/${name}/rows`, { accept: 'application/json' })).headers).toMatchObject({ 'tarl-deleted-since': 'true' });
    // What is saved after the deletion is the same with it.
    await ok(platform.rest(sets, { trainingSet: `${name}_after`, features: ['cards:amount'], rows, storeRows }));
    expect(await verify(`${name}_after`)).toMatchObject({ verdict: 'SAME' });
  });
});

test('what transformations compute is proved to be the same after newer versions of them', async () => {
  const { a, rows } = await someCards();
  const register = (expression: string) => ok(platform.rest(`${project}/transformations`, { transformation: 'doubled', inputs: [{ name: 'amount', feature: 'cards:amount', type: 'INT64' }], outputs: [{ name: 'more', expression }] }));
  await register('amount * 2');
  await ok(platform.rest(sets, { trainingSet: 'computed', features: ['doubled', 'cards:amount'], rows, storeRows: true }));
  await register('amount * 3');
  await muchLater(a);
  expect(await verify('computed')).toMatchObject({ verdict: 'SAME' });
  const { position } = await ok(platform.rest(`${group}:deleteEntity`, { entity: { card: a } }));
  expect(await verify('computed')).toMatchObject({ verdict: 'ENTITIES_DELETED', firstDifference: { row: 0, columns: ['more', 'amount'] } });
  expect((await rowsOf('computed'))[0]).toEqual({ ...rows[0], more: null, amount: null });
  const { columns } = await ok(get(`${sets}/computed`, { 'tarl-min-position': position }));
  expect(columns.map(({ of }: any) => of)).toEqual([undefined, undefined, undefined, 'p/doubled@1:more', expect.stringMatching(/^p\/cards@\d+:amount$/)]);
});

test('rows known at their own time stay as they were, with what was hidden already', async () => {
  const { a, rows } = await someCards();
  await ok(platform.rest(`${group}:deleteEntity`, { entity: { card: a } }));
  const future = rows.map((row) => ({ ...row, event_time: '2100-01-01T00:00:00Z' }));
  await ok(platform.rest(sets, { trainingSet: 'row_time', features: ['cards:amount'], rows: [...rows, ...future], knownAt: { rowTime: true } }));
  await write([[a, '2026-01-01T10:59:00Z', 5, 'late']]);
  expect(await verify('row_time')).toMatchObject({ verdict: 'SAME', rows: 6 });
});

test('over gRPC in several messages and over GraphQL it is the same set as over REST, by hash', async () => {
  const { a, b } = await someCards();
  const rows = [{ card: a, event_time: '2026-01-01T11:00:00Z' }, { card: b, event_time: '2026-01-01T12:00:00Z' }];
  const question = { features: ['cards:amount'], knownAt: { position: (await write([['x', '2026-01-01', 1, '']])).position } };
  const column = (card: string) => [{ name: 'card', strings: [card] }];
  const grpc = await save([
    { trainingSet: 'three_grpc', storeRows: true, tags: { wire: 'grpc' }, question: { project: 'p', ...question, columns: column(a), rowTimeUs: [`${Date.parse(rows[0]!.event_time) * 1000}`] } },
    { question: { columns: column(b), rowTimeUs: [`${Date.parse(rows[1]!.event_time) * 1000}`] } },
  ]);
  expect(grpc).toMatchObject({ changed: true, rows: '2' });
  const rest = await ok(platform.rest(sets, { trainingSet: 'three_rest', ...question, rows }));
  const mutation = 'mutation ($input: SaveTrainingSetInput!) { saveTrainingSet(input: $input) { hash rows changed } }';
  const graphql = (await ok(platform.graphql(mutation, { input: { project: 'p', trainingSet: 'three_graphql', ...question, rows, storeRows: true } }))).saveTrainingSet;
  expect(graphql).toEqual({ hash: rest.hash, rows: 2, changed: true });
  // Times came as microseconds over gRPC and as texts over the others, so these are other rows; asked alike, they are the same.
  const micros = rows.map(({ card, event_time }) => ({ card, event_time: Date.parse(event_time) * 1000 }));
  expect((await ok(platform.rest(sets, { trainingSet: 'three_micros', ...question, rows: micros }))).hash).toBe(grpc.hash);

  const [batch] = await download('three_grpc');
  expect(batch).toMatchObject({ deletedSince: false, batch: { rows: 2 } });
  expect(batch.batch.columns.map(({ name }: any) => name)).toEqual(['card', 'event_time', 'amount']);
  expect(batch.batch.columns[2]).toMatchObject({ ints: ['1', '9007199254740991'] });
  expect((await download('three_rest'))[0].batch.columns[0]).toMatchObject({ name: 'card', strings: [a, b] });
  const query = '{ trainingSetRows(project: "p", trainingSet: "three_graphql") { rows deletedSince } verifyTrainingSet(project: "p", trainingSet: "three_grpc") { verdict hash } trainingSet(project: "p", trainingSet: "three_grpc") { tags columns { name type of } } }';
  expect(await ok(platform.graphql(query))).toEqual({
    trainingSetRows: { rows: [{ ...rows[0], amount: 1 }, { ...rows[1], amount: 9_007_199_254_740_991 }], deletedSince: false },
    verifyTrainingSet: { verdict: 'SAME', hash: grpc.hash },
    trainingSet: { tags: { wire: 'grpc' }, columns: [{ name: 'card', type: 'STRING', of: null }, { name: 'event_time', type: 'TIMESTAMP', of: null }, { name: 'amount', type: 'INT64', of: expect.stringMatching(/^p\/cards@\d+:amount$/) }] },
  });
  expect(await ok(rpc('VerifyTrainingSet', { project: 'p', trainingSet: 'three_rest' }))).toMatchObject({ verdict: 'SAME', hash: rest.hash, rows: '2' });
});

test('the same question under the same name answers with what was saved; another one is refused, and nothing runs', async () => {
  const { a, rows } = await someCards();
  const question = { trainingSet: 'again', features: ['cards:amount'], rows };
  const first = await ok(platform.rest(sets, question, { 'idempotency-key': 'save-again' }));
  await write([[a, '2026-01-01T10:59:00Z', 5, 'late']]);
  for (const headers of [{ 'idempotency-key': 'save-again' }, undefined]) expect(await ok(platform.rest(sets, question, headers))).toMatchObject({ changed: false, hash: first.hash, knownAt: first.knownAt });
  expect(await platform.rest(sets, { ...question, rows: rows.slice(1) })).toMatchObject({ code: 'ALREADY_EXISTS', reason: 'TRAINING_SET_EXISTS' });
});

test('entity rows may be the body, as CSV', async () => {
  const { a } = await someCards();
  const saved = await ok(platform.rest(`${sets}?trainingSet=from_csv&features=cards:amount&storeRows=true`, `card,event_time\r\n${a},2026-01-01T11:00:00Z\r\n`, { 'content-type': 'text/csv' }));
  expect(saved).toMatchObject({ rows: 1 });
  expect(await rowsOf('from_csv')).toEqual([{ card: a, event_time: '2026-01-01T11:00:00Z', amount: 1 }]);
});

test('rows are downloaded as Parquet, and saved again from it they are the same rows', async () => {
  const { rows } = await someCards();
  const plain = rows.slice(0, 2).map(({ card, event_time }) => ({ card, event_time }));
  const first = await ok(platform.rest(sets, { trainingSet: 'as_parquet', features: ['cards:amount'], rows: plain }));
  const response = await fetch(`${platform.addresses.rest}${sets}/as_parquet/rows`, { headers: { authorization: `Bearer ${ownerKey}`, accept: 'application/vnd.apache.parquet' } });
  const file = Buffer.from(await response.arrayBuffer());
  const again = await ok(platform.rest(`${sets}?trainingSet=of_parquet&features=cards:where&knownAt.position=${first.knownAt}`, file as never, { 'content-type': 'application/vnd.apache.parquet' }));
  expect(again).toMatchObject({ rows: 2 });
  expect((await rowsOf('of_parquet'))[1]).toMatchObject({ card: plain[1]!.card, amount: 9_007_199_254_740_991, where: 'far' });
  expect(await verify('of_parquet')).toMatchObject({ verdict: 'SAME' });
});

test('lists are filtered and sorted, and descriptions change', async () => {
  await ok(platform.rest(sets, { trainingSet: 'listed', features: ['cards:amount'], start: '2026-01-01', end: '2026-01-02', owner: 'someone' }));
  const { position } = await ok(platform.rest(`${sets}/listed:describe`, { owner: 'listing', tags: { model: 'm7' } }));
  const { trainingSets } = await ok(get(`${sets}?filter=${encodeURIComponent('owner = listing AND tags.model = m7')}&orderBy=createdAt%20desc`, { 'tarl-min-position': position }));
  expect(trainingSets.map(({ trainingSet }: any) => trainingSet)).toEqual(['listed']);
});

describe('a training set is refused that', () => {
  test.each([
    ['names no feature', {}, 'INVALID_ARGUMENT', /features/],
    ['names a group that is not there', { features: ['nope'] }, 'NOT_FOUND', /nope/],
    ['lies beyond the end of the log', { features: ['cards'], knownAt: { position: '99999999999' } }, 'OUT_OF_RANGE', /beyond/],
    ['has rows without a time', { features: ['cards'], rows: [{ card: 'a' }] }, 'INVALID_ARGUMENT', /rows\[0\]\.event_time/],
    ['holds text that cannot be kept', { features: ['cards'], rows: [{ card: '\ud800', event_time: '2026-01-01' }] }, 'INVALID_ARGUMENT', /rows\[0\]\.card/],
    ['has another field', { features: ['cards'], store: true }, 'INVALID_ARGUMENT', /store/],
    ['has a name that is none', { trainingSet: '../x', features: ['cards'] }, 'INVALID_ARGUMENT', /trainingSet/],
  ])('%s, and nothing is saved', async (_, more, code, message) => {
    expect(await platform.rest(sets, { trainingSet: 'refused', ...more })).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await get(`${sets}/refused`)).toMatchObject({ code: 'NOT_FOUND', reason: 'TRAINING_SET_NOT_FOUND' });
  });

  test('is not there, whatever is asked of it', async () => {
    for (const path of [':verify', '/rows', '']) expect(await get(`${sets}/absent${path}`)).toMatchObject({ code: 'NOT_FOUND', reason: 'TRAINING_SET_NOT_FOUND' });
    expect(await ok(rpc('ListTrainingSets', { project: 'q' }))).toMatchObject({ trainingSets: [] });
    await expect(download('absent')).rejects.toMatchObject({ code: 5 });
  });
});

test('entity rows whose file has gone are missed in a sentence, and nothing unfinished is left in the folder', async () => {
  const { rows } = await someCards();
  const { position } = await ok(platform.rest(sets, { trainingSet: 'gone', features: ['cards:amount'], rows }));
  const { entityRows: { hash } } = await ok(get(`${sets}/gone`, { 'tarl-min-position': position }));
  await rm(join(platform.trainingSetsFolder, hash.slice(0, 2), `${hash}.parquet`));
  expect(await get(`${sets}/gone:verify`)).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'ENTITY_ROWS_MISSING' });
  expect((await readdir(platform.trainingSetsFolder)).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
});

describe('a save that fails', () => {
  const files = async () => (await readdir(platform.trainingSetsFolder, { withFileTypes: true, recursive: true })).filter((entry) => entry.isFile()).map(({ name }) => name).sort();
  const hasFile = async (hash: string) => (await files()).includes(`${hash}.parquet`);
  const labelled = (rows: object[]) => rows.map((row) => ({ ...row, label: `of a save that fails ${++made}` }));

  test('leaves no file, whatever it was that was refused', async () => {
    const { rows } = await someCards();
    await ok(platform.rest(sets, { trainingSet: 'taken', features: ['cards:amount'], rows: labelled(rows), storeRows: true }));
    const before = await files();
    for (const more of [{ features: ['nope'] }, { trainingSet: 'taken', features: ['cards:amount'] }, { features: ['cards:amount'], knownAt: { position: '99999999999' } }]) {
      expect((await platform.rest(sets, { trainingSet: 'never', rows: labelled(rows), storeRows: true, ...more })).code).not.toBe('OK');
    }
    expect(await files()).toEqual(before);
  });

  test('leaves the files of the saved ones, though its rows are theirs', async () => {
    const { rows } = await someCards();
    const own = labelled(rows);
    const { position } = await ok(platform.rest(sets, { trainingSet: 'good', features: ['cards:amount'], rows: own }));
    const { entityRows } = await ok(get(`${sets}/good`, { 'tarl-min-position': position }));
    expect((await platform.rest(sets, { trainingSet: 'bad', features: ['nope'], rows: own })).code).toBe('NOT_FOUND');
    expect(await hasFile(entityRows.hash)).toBe(true);
    expect(await verify('good')).toMatchObject({ verdict: 'SAME' });
  });

  test('because another of its name was first leaves only the files of that one', async () => {
    const { a, rows } = await someCards();
    const question = { trainingSet: 'raced', features: ['cards:amount'], rows: labelled(rows), storeRows: true };
    const saves = Array.from({ length: 6 }, () => [platform.rest(sets, question), write([[a, '2026-01-01T10:01:00Z', ++made, '']])] as const);
    const replies = await Promise.all(saves.map(async ([save]) => ok(save)));
    await Promise.all(saves.map(([, written]) => written));
    expect(new Set(replies.map(({ hash }) => hash)).size).toBe(1);
    expect(replies.filter(({ changed }) => changed)).toHaveLength(1);
    expect(await verify('raced')).toMatchObject({ verdict: 'SAME' });
    // Those that lost at the same moment claim the same rows, and leave them to the job.
    const { trainingSets } = await ok(get(`${sets}?pageSize=1000`, { 'tarl-min-position': replies.find(({ changed }) => changed).position }));
    const named = new Set(trainingSets.flatMap(({ entityRows, stored, hash }: any) => [...(entityRows ? [entityRows.hash] : []), ...(stored ? [hash] : [])]));
    await new Contents(platform.trainingSetsFolder, '.parquet').clearLeftBehind(-1_000, async (hash) => named.has(hash));
    expect((await files()).filter((name) => !named.has(name.replace('.parquet', '')))).toEqual([]);
    expect(await hasFile(replies[0].hash)).toBe(true);
  });
});

