import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callRest } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
  await ok(platform.rest('/api/v1/projects', { project: 'p' }));
});
afterAll(() => platform.close());

async function ok(called: Promise<{ code: string; message?: string; answer?: any }>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}

const groups = '/api/v1/projects/p/feature-groups';
const eventTime = '2026-01-01T00:00:00Z';
let made = 0;

/** A group whose version 1 has `n` as a whole number, and whose version 2, staged, has it as a text; with a row of each. */
async function newGroup(): Promise<{ group: string; position: string }> {
  const group = `g${++made}`;
  await ok(platform.rest(groups, { group, entities: [{ name: 'id', type: 'INT64' }], features: [{ name: 'n', type: 'INT64' }] }));
  await ok(platform.rest(`${groups}/${group}:write`, { rows: [{ entity: { id: 1 }, eventTime, values: { n: 7 } }] }));
  await ok(platform.rest(`${groups}/${group}:stageVersion`, { features: [{ name: 'n', type: 'STRING' }] }));
  const { position } = await ok(platform.rest(`${groups}/${group}:write`, { version: 2, rows: [{ entity: { id: 1 }, eventTime, values: { n: 'seven' } }] }));
  return { group, position };
}

const online = async (features: string[], position = '', more: object = {}) => {
  const { rows } = await ok(platform.rest('/api/v1/projects/p/features:readOnline', { features, entities: [{ id: 1 }], ...more }, position === '' ? {} : { 'tarl-min-position': position }));
  return rows[0].values;
};

describe('a version of a group', () => {
  test('has online rows of its own; the bare name reads the promoted one', async () => {
    const { group, position } = await newGroup();
    expect(await online([group, `${group}@2:n`, `${group}@1`], position, { fullNames: true })).toEqual({ [`${group}__n`]: 7, [`${group}@2__n`]: 'seven', [`${group}@1__n`]: 7 });
    await ok(platform.rest(`${groups}/${group}:promoteVersion`, { version: 2 }));
    expect(await online([group])).toEqual({ n: 'seven' });
    await ok(platform.rest(`${groups}/${group}:rollBack`, {}));
    expect(await online([group])).toEqual({ n: 7 });
  });

  test('is written by its number over every wire, and by the bare name when it is promoted', async () => {
    const { group } = await newGroup();
    const row = (n: unknown) => ({ entity: { id: 1 }, eventTime: '2026-01-02T00:00:00Z', values: { n } });
    const grpc = await ok(platform.grpc('WriteOnline', { project: 'p', group, version: 2, rows: [row('over grpc')] }));
    expect(await online([`${group}@2`], grpc.position)).toEqual({ n: 'over grpc' });
    const graphql = await ok(platform.graphql('mutation ($input: WriteFeaturesInput!) { writeFeatures(input: $input) { position } }', { input: { project: 'p', group, version: 2, rows: [row('over graphql')] } }));
    expect(await online([`${group}@2`], graphql.writeFeatures.position)).toEqual({ n: 'over graphql' });
    expect(await platform.rest(`${groups}/${group}:write`, { rows: [row('a text')] })).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'ROWS_REJECTED' });
    await ok(platform.rest(`${groups}/${group}:promoteVersion`, { version: 2 }));
    expect(await online([group], (await ok(platform.rest(`${groups}/${group}:write`, { rows: [row('a text')] }))).position)).toEqual({ n: 'a text' });
    expect(await platform.rest(`${groups}/${group}:write`, { version: 3, rows: [row(1)] })).toMatchObject({ code: 'NOT_FOUND', reason: 'FEATURE_GROUP_VERSION_NOT_FOUND' });
  });

  test('has a history of its own, as of a moment and in training sets, under an alias too', async () => {
    const { group } = await newGroup();
    const features = [group, `${group}@2`];
    const asOf = await ok(platform.rest('/api/v1/projects/p/features:readAsOf', { features, fullNames: true, entities: [{ id: 1 }], at: '2026-02-01' }));
    expect(asOf.rows[0].values).toEqual({ [`${group}__n`]: 7, [`${group}@2__n`]: 'seven' });
    const training = (question: object) => ok(platform.rest('/api/v1/projects/p/features:historical', question, { accept: 'application/json' }));
    const rows = [{ id: 1, event_time: '2026-02-01T00:00:00Z' }];
    expect((await training({ features: [`${group}:n`, 'next:n'], fullNames: true, aliases: [{ alias: 'next', group: `${group}@2` }], rows })).rows).toEqual([{ ...rows[0], [`${group}__n`]: 7, next__n: 'seven' }]);
    expect((await training({ features, fullNames: true, start: '2025-12-01', end: '2026-02-01' })).rows).toEqual([{ id: 1, event_time: '2026-01-01T00:00:00.000Z', [`${group}__n`]: 7, [`${group}@2__n`]: 'seven' }]);
  });

  test('that is promoted later leaves a question about what was known before as it was', async () => {
    const { group, position } = await newGroup();
    await ok(platform.rest(`${groups}/${group}:promoteVersion`, { version: 2 }));
    const asOf = async (more: object) => (await ok(platform.rest('/api/v1/projects/p/features:readAsOf', { features: [group], entities: [{ id: 1 }], at: '2026-02-01', ...more }))).rows[0].values;
    expect(await asOf({})).toEqual({ n: 'seven' });
    expect(await asOf({ knownAt: { position } })).toEqual({ n: 7 });
  });

  test('loses a deleted entity like all others', async () => {
    const { group } = await newGroup();
    const { position } = await ok(platform.rest(`${groups}/${group}:deleteEntity`, { entity: { id: 1 } }));
    const features = [`${group}@1`, `${group}@2`];
    expect(await online(features, position, { fullNames: true })).toEqual({ [`${group}@1__n`]: null, [`${group}@2__n`]: null });
    const { rows } = await ok(platform.rest('/api/v1/projects/p/features:historical', { features, fullNames: true, start: '2025-12-01', end: '2026-02-01' }, { accept: 'application/json' }));
    expect(rows).toEqual([]);
  });

  test('is shown with its features, and may be named by a service', async () => {
    const { group, position } = await newGroup();
    await ok(platform.rest('/api/v1/projects/p/feature-services', { service: `of_${group}`, features: [`${group}@2:n`] }));
    expect((await ok(platform.rest('/api/v1/projects/p/features:readOnline', { service: `of_${group}`, entities: [{ id: 1 }] }, { 'tarl-min-position': position }))).rows[0].values).toEqual({ n: 'seven' });
    const promoted = await ok(platform.rest(`${groups}/${group}:promoteVersion`, { version: 2 }));
    const shown = await ok(callRest(platform.addresses.rest, 'GET', `${groups}/${group}`, undefined, { 'tarl-min-position': promoted.position }));
    expect(shown).toMatchObject({ version: 2, features: [{ type: 'STRING' }], versions: [{ version: 1, features: [{ type: 'INT64' }] }, { version: 2, features: [{ type: 'STRING' }] }] });
  });

  test.each(['@0', '@3', '@01', '@', '@2@2', '@x'])('%s is not there', async (version) => {
    const { group } = await newGroup();
    for (const operation of ['readOnline', 'readAsOf']) {
      expect(await platform.rest(`/api/v1/projects/p/features:${operation}`, { features: [`${group}${version}`], entities: [{ id: 1 }] })).toMatchObject({ code: 'NOT_FOUND' });
    }
  });
});
