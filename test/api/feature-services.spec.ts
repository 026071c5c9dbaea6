import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callRest } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let before: string;
const services = '/api/v1/projects/p/feature-services';
const read = '/api/v1/projects/p/features';

beforeAll(async () => {
  platform = await testPlatform();
  await ok(platform.rest('/api/v1/projects', { project: 'p' }));
  for (const group of ['cards', 'shops']) {
    await ok(platform.rest('/api/v1/projects/p/feature-groups', { group, entities: [{ name: `${group}_id`, type: 'INT64' }], features: [{ name: 'amount', type: 'INT64' }, { name: `of_${group}`, type: 'STRING' }] }));
    const written = await ok(platform.rest(`/api/v1/projects/p/feature-groups/${group}:write`, { rows: [{ entity: { [`${group}_id`]: 1 }, eventTime: '2026-01-01', values: { amount: group.length, [`of_${group}`]: group } }] }));
    before = written.position;
  }
});
afterAll(() => platform.close());

async function ok(called: Promise<{ code: string; message?: string; answer?: any }>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}

let made = 0;
async function newService(more: object = {}): Promise<string> {
  const service = `service_${++made}`;
  await ok(platform.rest(services, { service, features: ['shops:of_shops', 'cards'], ...more }));
  return service;
}

const entity = { cards_id: 1, shops_id: 1 };
const values = { of_shops: 'shops', amount: 5, of_cards: 'cards' };
const get = (path: string, headers?: Record<string, string>) => ok(callRest(platform.addresses.rest, 'GET', path, undefined, headers));

describe('a feature service', () => {
  test('gives its vector online over every wire, in its order', async () => {
    const service = await newService();
    const rest = await ok(platform.rest(`${read}:readOnline`, { service, entities: [entity] }, { 'tarl-min-position': before }));
    expect(rest.rows[0].values).toEqual(values);
    expect(Object.keys(rest.rows[0].values)).toEqual(Object.keys(values));
    const grpc = await ok(platform.grpc('ReadOnline', { project: 'p', service, entities: [{ key: entity }] }));
    expect(grpc.features.map(({ name, group }: any) => `${group}:${name}`)).toEqual(['shops:of_shops', 'cards:amount', 'cards:of_cards']);
    const graphql = await ok(platform.graphql('query ($entity: JSON!, $service: String) { readOnline(project: "p", service: $service, entities: [$entity]) { values } onlineFeatures(project: "p", service: $service, entity: $entity) { values } }', { entity, service }));
    expect(graphql).toEqual({ readOnline: [{ values }], onlineFeatures: { values } });
  });

  test('gives its vector as of a moment and in training sets, over every wire', async () => {
    const service = await newService({ fullNames: true });
    const full = { shops__of_shops: 'shops', cards__amount: 5, cards__of_cards: 'cards' };
    const asOf = await ok(platform.rest(`${read}:readAsOf`, { service, entities: [entity], at: '2026-02-01' }));
    expect(asOf.rows[0].values).toEqual(full);
    expect((await ok(platform.grpc('ReadAsOf', { project: 'p', service, entities: [{ key: entity }] }))).features.map(({ name }: any) => name)).toEqual(Object.keys(full));
    const rows = [{ ...entity, event_time: '2026-02-01T00:00:00Z' }];
    expect((await ok(platform.rest(`${read}:historical`, { service, rows }, { accept: 'application/json' }))).rows).toEqual([{ ...rows[0], ...full }]);
    const graphql = await ok(platform.graphql('query ($rows: [JSON!]!, $service: String) { historicalFeatures(project: "p", service: $service, rows: $rows) { rows } readAsOf(project: "p", service: $service, entities: $rows) { rows { values } } }', { rows, service }));
    expect(graphql).toEqual({ historicalFeatures: { rows: [{ ...rows[0], ...full }] }, readAsOf: { rows: [{ values: full }] } });
  });

  test('that is changed gives the new vector from then on, and the old one to a question with its position', async () => {
    const service = await newService();
    const question = { service, entities: [entity], at: '2026-02-01' };
    const { knownAt } = await ok(platform.rest(`${read}:readAsOf`, question));
    const changed = await ok(platform.rest(`${services}/${service}:change`, { features: ['cards:amount'] }));
    expect((await ok(platform.rest(`${read}:readOnline`, { service, entities: [entity] }, { 'tarl-min-position': changed.position }))).rows[0].values).toEqual({ amount: 5 });
    expect((await ok(platform.rest(`${read}:readAsOf`, question))).rows[0].values).toEqual({ amount: 5 });
    expect((await ok(platform.rest(`${read}:readAsOf`, { ...question, knownAt }))).rows[0].values).toEqual(values);
  });

  test('asks what was known before it was made', async () => {
    const service = await newService();
    const { rows } = await ok(platform.rest(`${read}:readAsOf`, { service, entities: [entity], at: '2026-02-01', knownAt: { position: before } }));
    expect(rows[0].values).toEqual(values);
  });

  test('says which of its features is not there any more', async () => {
    await ok(platform.rest('/api/v1/projects/p/feature-groups', { group: 'lost', entities: [{ name: 'cards_id', type: 'INT64' }], features: [{ name: 'x', type: 'INT64' }] }));
    const service = await newService({ features: ['cards:amount', 'lost:x'] });
    await ok(platform.rest('/api/v1/projects/p/feature-groups/lost:stageVersion', { features: [{ name: 'y', type: 'INT64' }] }));
    await ok(platform.rest('/api/v1/projects/p/feature-groups/lost:promoteVersion', { version: 2 }));
    const fault = { field: 'service', description: `${service} has lost:x, which names x, which lost does not have` };
    for (const operation of ['readOnline', 'readAsOf']) expect(await platform.rest(`${read}:${operation}`, { service, entities: [entity] })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [fault] });
    expect(await platform.rest(`${read}:historical`, { service, rows: [{ ...entity, event_time: '2026-02-01' }] })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [fault] });
  });

  test('that a feature registered later gives a second column of one name says which two, and is read with full names', async () => {
    for (const group of ['left', 'right']) await ok(platform.rest('/api/v1/projects/p/feature-groups', { group, entities: [{ name: 'cards_id', type: 'INT64' }], features: [{ name: `of_${group}`, type: 'INT64' }] }));
    const named = await newService({ features: ['left:of_left', 'right'], fullNames: true });
    const service = await newService({ features: ['left:of_left', 'right'] });
    const { knownAt } = await ok(platform.rest(`${read}:readAsOf`, { service, entities: [entity] }));
    const { position } = await ok(platform.rest('/api/v1/projects/p/feature-groups/right:registerFeature', { feature: { name: 'of_left', type: 'INT64' } }));
    const collidingColumns = [{ column: 'of_left', of: ['left:of_left', 'right'] }];
    const newest = { 'tarl-min-position': position };
    expect(await get(`${services}/${service}`, newest)).toMatchObject({ service, collidingColumns });
    expect((await get(`${services}?filter=${service}`, newest)).featureServices).toMatchObject([{ service, collidingColumns }]);
    expect(await get(`${services}/${service}?asOf=${encodeURIComponent(knownAt.position)}`, newest)).toMatchObject({ collidingColumns: [] });
    expect((await ok(platform.graphql('query ($service: String!) { featureService(project: "p", service: $service) { collidingColumns { column of } } }', { service }, newest))).featureService).toEqual({ collidingColumns });
    expect(await get(`${services}/${named}`, newest)).toMatchObject({ collidingColumns: [] });
    const fault = { field: 'service', description: `${service} has right, which makes a second column of_left beside that of left; ask for full names, or change the service` };
    const rows = [{ ...entity, event_time: '2026-02-01' }];
    const reads: [string, object][] = [['readOnline', { entities: [entity] }], ['readAsOf', { entities: [entity] }], ['readOffline', { entities: [entity] }], ['historical', { rows }]];
    for (const [verb, body] of reads) {
      expect(await platform.rest(`${read}:${verb}`, { service, ...body })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [fault] });
      expect(await platform.rest(`${read}:${verb}`, { service, fullNames: true, ...body }, { accept: 'application/json' })).toMatchObject({ code: 'OK' });
    }
    expect(await platform.rest(`${read}:readOnline`, { features: ['left:of_left', 'right'], entities: [entity] })).toMatchObject({ fields: [{ field: 'features[1]', description: 'makes a second column of_left beside that of left; ask for full names' }] });
    expect(await platform.rest(`${read}:historical`, { features: ['left:of_left'], rows: [{ ...rows[0], of_left: 1 }] })).toMatchObject({ fields: [{ description: 'makes a second column of_left beside that of the rows; ask for full names' }] });
    expect((await ok(platform.rest(`${read}:readAsOf`, { service, entities: [entity], knownAt }))).rows[0].values).toEqual({ of_left: null, of_right: null });
    const changed = await ok(platform.rest(`${services}/${service}:change`, { features: ['left:of_left', 'right:of_right'] }));
    expect((await ok(platform.rest(`${read}:readOnline`, { service, entities: [entity] }))).rows[0].values).toEqual({ of_left: null, of_right: null });
    expect(await get(`${services}/${service}`, { 'tarl-min-position': changed.position })).toMatchObject({ collidingColumns: [] });
  });

  test('says which columns have come to share a name also of groups of other projects, while those are shared, of versions and of transformations', async () => {
    const make = (project: string, group: string, names: string[]) => ok(platform.rest(`/api/v1/projects/${project}/feature-groups`, { group, entities: [{ name: 'cards_id', type: 'INT64' }], features: names.map((name) => ({ name, type: 'INT64' })) }));
    await ok(platform.rest('/api/v1/projects', { project: 'theirs' }));
    await make('theirs', 'far', ['a']);
    await make('p', 'near', ['b']);
    await ok(platform.rest('/api/v1/projects/p/transformations', { transformation: 'twice', inputs: [{ name: 'b', feature: 'near:b', type: 'INT64' }], outputs: [{ name: 'd', expression: 'b * 2' }] }));
    await ok(platform.rest('/api/v1/projects/theirs/feature-groups/far:share', { withProject: 'p' }));
    const service = await newService({ features: ['theirs/far', 'near', 'near@1:b', 'twice'], fullNames: true });
    const short = await newService({ features: ['theirs/far', 'near', 'twice'] });
    for (const name of ['b', 'd']) await ok(platform.rest('/api/v1/projects/theirs/feature-groups/far:registerFeature', { feature: { name, type: 'INT64' } }));
    const { position } = await ok(platform.rest('/api/v1/projects/p/feature-groups/near:stageVersion', { features: [{ name: 'c', type: 'INT64' }] }));
    const collidingColumns = [{ column: 'b', of: ['theirs/far', 'near'] }, { column: 'd', of: ['theirs/far', 'twice'] }];
    expect(await get(`${services}/${short}`, { 'tarl-min-position': position })).toMatchObject({ collidingColumns });
    expect(await get(`${services}/${service}`)).toMatchObject({ collidingColumns: [] });
    const promoted = await ok(platform.rest('/api/v1/projects/p/feature-groups/near:promoteVersion', { version: 2 }));
    expect(await get(`${services}/${short}`, { 'tarl-min-position': promoted.position })).toMatchObject({ collidingColumns: collidingColumns.slice(1) });
    const unshared = await ok(platform.rest('/api/v1/projects/theirs/feature-groups/far:unshare', { withProject: 'p' }));
    expect(await get(`${services}/${short}`, { 'tarl-min-position': unshared.position })).toMatchObject({ collidingColumns: [] });
  });

  test('that is archived stays readable and changes no more', async () => {
    const service = await newService();
    const { position } = await ok(platform.rest(`${services}/${service}:archive`, { reason: 'Replaced' }));
    expect((await ok(platform.rest(`${read}:readOnline`, { service, entities: [entity] }))).rows[0].values).toEqual(values);
    expect(await platform.rest(`${services}/${service}:change`, { features: ['cards'] })).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'FEATURE_SERVICE_ARCHIVED' });
    expect(await get(`${services}/${service}`, { 'tarl-min-position': position })).toMatchObject({ service, archived: true });
  });

  test.each([
    ['names a group that is not there', { features: ['nope:x'] }, 'NOT_FOUND', /group nope does not exist/],
    ['names a feature that its group does not have', { features: ['cards', 'cards:nope'] }, 'INVALID_ARGUMENT', /features\[1\] names nope, which cards does not have/],
    ['names two features alike', { features: ['cards:amount', 'shops:amount'] }, 'INVALID_ARGUMENT', /features\[1\].*take full names/],
    ['names a feature twice', { features: ['cards:amount', 'cards:amount'], fullNames: true }, 'INVALID_ARGUMENT', /features\[1\].*name it once/],
    ['names whole groups with a feature alike', { features: ['cards', 'shops'] }, 'INVALID_ARGUMENT', /^features\[1\] makes a second column amount; take full names$/],
    ['names a group and a feature of it', { features: ['cards', 'cards:amount'], fullNames: true }, 'INVALID_ARGUMENT', /^features\[1\] makes a second column cards__amount; name it once$/],
    ['names none', { features: [] }, 'INVALID_ARGUMENT', /features/],
    ['names what cannot be a feature', { features: ['cards:amount:x'] }, 'INVALID_ARGUMENT', /takes group:feature/],
  ])('that %s is refused', async (_what, input, code, message) => {
    expect(await platform.rest(services, { service: 'refused', ...input })).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('and features in one question, or neither, or a service that is not there, are refused', async () => {
    const service = await newService();
    for (const operation of ['readOnline', 'readAsOf']) {
      const ask = (more: object) => platform.rest(`${read}:${operation}`, { entities: [entity], ...more });
      expect(await ask({ service, features: ['cards'] })).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/beside a service/) });
      expect(await ask({})).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/at least one feature/) });
      expect(await ask({ service: 'absent' })).toMatchObject({ code: 'NOT_FOUND', reason: 'FEATURE_SERVICE_NOT_FOUND' });
    }
  });
});

test('the services of a project are listed page by page', async () => {
  await ok(platform.rest('/api/v1/projects', { project: 'listed' }));
  await ok(platform.rest('/api/v1/projects/listed/feature-groups', { group: 'g', entities: [{ name: 'id', type: 'INT64' }], features: [{ name: 'x', type: 'INT64' }] }));
  let position = '';
  for (const service of ['c', 'a', 'b']) ({ position } = await ok(platform.rest('/api/v1/projects/listed/feature-services', { service, features: ['g'] })));
  const first = await get('/api/v1/projects/listed/feature-services?pageSize=2', { 'tarl-min-position': position });
  expect(first.featureServices.map(({ service }: any) => service)).toEqual(['a', 'b']);
  const second = await get(`/api/v1/projects/listed/feature-services?pageSize=2&pageToken=${first.nextPageToken}`);
  expect(second).toMatchObject({ featureServices: [{ service: 'c', features: ['g'], fullNames: false, archived: false }], nextPageToken: '' });
});
