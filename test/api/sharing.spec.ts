import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callGrpc, callRest } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
const entity = { card: 'a' };
const moment = { card: 'a', event_time: '2026-02-01T00:00:00Z' };

beforeAll(async () => {
  platform = await testPlatform();
  for (const project of ['fraud', 'marketing', 'other']) await ok(platform.rest('/api/v1/projects', { project }));
  for (const project of ['fraud', 'marketing']) {
    await newGroup(project, 'cards');
    await write(project, 'cards', '2026-01-01', project.length);
  }
});
afterAll(() => platform.close());

async function ok(called: Promise<{ code: string; message?: string; answer?: any }>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}

const newGroup = (project: string, group: string) => ok(platform.rest(`/api/v1/projects/${project}/feature-groups`, { group, entities: [{ name: 'card', type: 'STRING' }], features: [{ name: 'amount', type: 'INT64' }], source: { kind: 'table', name: 'secret.table' } }));
const write = (project: string, group: string, eventTime: string, amount: number) => ok(platform.rest(`/api/v1/projects/${project}/feature-groups/${group}:write`, { rows: [{ entity, eventTime, values: { amount } }] }));
const share = (group: string, verb = 'share', withProject = 'marketing') => platform.rest(`/api/v1/projects/fraud/feature-groups/${group}:${verb}`, { withProject });
const get = (path: string, position?: string) => callRest(platform.addresses.rest, 'GET', path, undefined, position === undefined ? {} : { 'tarl-min-position': position });

let made = 0;
/** A group of the project fraud with one row, shared with marketing. */
async function sharedGroup(): Promise<{ group: string; position: string }> {
  const group = `shared_${++made}`;
  await newGroup('fraud', group);
  await write('fraud', group, '2026-01-01', made);
  return { group, position: (await ok(share(group))).position };
}

/** The three reads of marketing, over REST. */
const reads = (features: string[], more: object = {}) => ({
  online: platform.rest('/api/v1/projects/marketing/features:readOnline', { features, entities: [entity], fullNames: true }),
  asOf: platform.rest('/api/v1/projects/marketing/features:readAsOf', { features, entities: [entity], fullNames: true, at: '2026-02-01', ...more }),
  historical: platform.rest('/api/v1/projects/marketing/features:historical', { features, rows: [moment], fullNames: true, ...more }, { accept: 'application/json' }),
});

describe('a group that is shared with a project', () => {
  test('is read by it online, as of a moment and in training sets, beside its own group of the same name', async () => {
    const { position } = await ok(share('cards'));
    const features = ['fraud/cards:amount', 'cards@1'];
    const values = { 'fraud/cards__amount': 5, 'cards@1__amount': 9 };
    const online = await ok(platform.rest('/api/v1/projects/marketing/features:readOnline', { features, entities: [entity], fullNames: true }, { 'tarl-min-position': position }));
    expect(online.rows[0].values).toEqual(values);
    const { asOf, historical } = reads(features);
    expect((await ok(asOf)).rows[0].values).toEqual(values);
    expect((await ok(historical)).rows).toEqual([{ ...moment, ...values }]);
    const range = await ok(platform.rest('/api/v1/projects/marketing/features:historical', { features, fullNames: true, start: '2025-12-01', end: '2026-02-01' }, { accept: 'application/json' }));
    expect(range.rows).toEqual([{ card: 'a', event_time: '2026-01-01T00:00:00.000Z', ...values }]);
    const aliased = await ok(platform.rest('/api/v1/projects/marketing/features:historical', { features: ['theirs:amount'], aliases: [{ alias: 'theirs', group: 'fraud/cards@1', keyColumns: { card: 'card' } }], rows: [moment] }, { accept: 'application/json' }));
    expect(aliased.rows).toEqual([{ ...moment, amount: 5 }]);
  });

  test('is read over gRPC and GraphQL as well, and listed', async () => {
    const { group, position } = await sharedGroup();
    const name = `fraud/${group}`;
    const grpc = await ok(platform.grpc('ReadOnline', { project: 'marketing', features: [name], entities: [{ key: entity }] }, { 'tarl-min-position': position }));
    expect(grpc.features[0]).toMatchObject({ group: name, name: 'amount', values: { ints: [`${made}`] } });
    const graphql = await ok(platform.graphql('query ($features: [String!], $entity: JSON!) { onlineFeatures(project: "marketing", features: $features, entity: $entity) { values } sharedFeatureGroups(project: "marketing") { nodes { name owner group } } }', { features: [name], entity }, { 'tarl-min-position': position }));
    expect(graphql.onlineFeatures.values).toEqual({ amount: made });
    expect(graphql.sharedFeatureGroups.nodes).toContainEqual({ name, owner: 'fraud', group });
    expect((await ok(callGrpc(platform.features, 'ListSharedFeatureGroups', { project: 'marketing', filter: `group = ${group}` }))).sharedFeatureGroups).toMatchObject([{ name }]);
    expect((await ok(get('/api/v1/projects/other/shared-feature-groups'))).sharedFeatureGroups).toEqual([]);
  });

  test('is exported by it whole, and by nobody else', async () => {
    const { group, position } = await sharedGroup();
    const exported = (project: string, name: string) => get(`/api/v1/projects/${project}/feature-groups/${name}/rows:export`, position);
    const row = { card: 'a', event_time: '2026-01-01T00:00:00.000Z', amount: made };
    expect(await ok(exported('marketing', `fraud%2F${group}`))).toEqual(row);
    expect(await ok(exported('marketing', `fraud%2F${group}@1`))).toEqual(row);
    expect(await exported('other', `fraud%2F${group}`)).toMatchObject({ code: 'NOT_FOUND', answer: { reason: 'FEATURE_GROUP_NOT_FOUND' } });
    expect(await exported('marketing', `fraud%2F${group}%2Fmore`)).toMatchObject({ code: 'INVALID_ARGUMENT', answer: { fields: [{ field: 'group' }] } });
  });

  test('stands in its feature services and saved training sets, and its lineage is crossed up to the group', async () => {
    const { group } = await sharedGroup();
    await ok(platform.rest('/api/v1/projects/marketing/feature-services', { service: group, features: [`fraud/${group}:amount`] }));
    const { position } = await ok(platform.rest('/api/v1/projects/marketing/training-sets', { trainingSet: group, service: group, rows: [moment], storeRows: true }));
    expect((await ok(platform.rest('/api/v1/projects/marketing/features:readOnline', { service: group, entities: [entity] }, { 'tarl-min-position': position }))).rows[0].values).toEqual({ amount: made });
    expect(await ok(get(`/api/v1/projects/marketing/training-sets/${group}:verify`))).toMatchObject({ verdict: 'SAME' });
    const lineage = `/api/v1/projects/marketing/feature-lineage?kind=FEATURE_SERVICE&node=${group}`;
    const ids = async () => (await ok(get(lineage, position))).nodes.map(({ id }: any) => id).sort();
    expect(await ids()).toEqual([`FEATURE:fraud/${group}@1:amount`, `FEATURE_GROUP:fraud/${group}@1`, `FEATURE_SERVICE:marketing/${group}`, `TRAINING_SET:marketing/${group}`]);
    await ok(share(group, 'unshare'));
    expect(await ids()).toEqual([`FEATURE_SERVICE:marketing/${group}`, `TRAINING_SET:marketing/${group}`]);
    for (const path of [':verify', '/rows']) expect(await get(`/api/v1/projects/marketing/training-sets/${group}${path}`)).toMatchObject({ code: 'NOT_FOUND', reason: 'FEATURE_GROUP_NOT_FOUND' });
    expect(await platform.rest('/api/v1/projects/marketing/features:readOnline', { service: group, entities: [entity] })).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('is read no more once that has ended, not even its past, and answers like one that is not there', async () => {
    const { group, position } = await sharedGroup();
    const { position: ended } = await ok(share(group, 'unshare'));
    const absent = Object.values(reads(['fraud/nothing'], { knownAt: { position } }));
    const nowhere = Object.values(reads(['nobody/nothing'], { knownAt: { position } }));
    const unshared = Object.values(reads([`fraud/${group}`], { knownAt: { position } }));
    for (const [at, called] of unshared.entries()) {
      const outcome = await called;
      expect(outcome).toMatchObject({ code: 'NOT_FOUND', reason: 'FEATURE_GROUP_NOT_FOUND', message: `Feature group fraud/${group} does not exist, or is not shared with project marketing` });
      for (const [other, name] of [[await absent[at]!, 'fraud/nothing'], [await nowhere[at]!, 'nobody/nothing']] as const) {
        expect({ ...other, answer: undefined, traceId: undefined, headers: undefined, message: other.message!.replaceAll(name, `fraud/${group}`) }).toEqual({ ...outcome, answer: undefined, traceId: undefined, headers: undefined });
      }
    }
    expect((await ok(get(`/api/v1/projects/marketing/shared-feature-groups?filter=group%20%3D%20${group}`, ended))).sharedFeatureGroups).toEqual([]);
    await ok(share(group));
    expect((await ok(reads([`fraud/${group}`]).asOf)).rows[0].values).toEqual({ [`fraud/${group}__amount`]: made });
  });

  test('is read by no project that it is not shared with, and written by nobody else', async () => {
    const { group } = await sharedGroup();
    expect(await platform.rest('/api/v1/projects/other/features:readOnline', { features: [`fraud/${group}`], entities: [entity] })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await platform.rest('/api/v1/projects/other/feature-services', { service: 's', features: [`fraud/${group}`] })).toMatchObject({ code: 'NOT_FOUND', reason: 'FEATURE_GROUP_NOT_FOUND' });
    expect(await platform.grpc('WriteOnline', { project: 'marketing', group: `fraud/${group}`, rows: [] })).toMatchObject({ code: expect.stringMatching(/NOT_FOUND|INVALID_ARGUMENT/) });
  });

  test('is shared once however often it is asked, and only with another project that is there', async () => {
    const { group } = await sharedGroup();
    expect(await ok(share(group))).toMatchObject({ changed: false });
    await ok(share(group, 'unshare'));
    expect(await ok(share(group, 'unshare'))).toMatchObject({ changed: false });
    expect(await share(group, 'share', 'fraud')).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'withProject' }] });
    expect(await share(group, 'share', 'nowhere')).toMatchObject({ code: 'NOT_FOUND', reason: 'PROJECT_NOT_FOUND' });
    expect(await share('nothing')).toMatchObject({ code: 'NOT_FOUND', reason: 'FEATURE_GROUP_NOT_FOUND' });
  });

  test('is listed by its own project with everybody that may read it, and by each of those, now and as of a moment, over every wire', async () => {
    const { group, position: one } = await sharedGroup();
    const { position: both } = await ok(share(group, 'share', 'other'));
    const { position: ended } = await ok(share(group, 'unshare'));
    const filter = `group = ${group}`;
    const asked = (more: string) => `filter=${encodeURIComponent(filter)}${more}`;
    const given = async (more = '') => (await ok(get(`/api/v1/projects/fraud/feature-group-shares?${asked(more)}`, ended))).featureGroupShares.map(({ withProject }: any) => withProject);
    const received = async (project: string, more = '') => (await ok(get(`/api/v1/projects/${project}/shared-feature-groups?${asked(more)}`, ended))).sharedFeatureGroups.map(({ name }: any) => name);
    expect(await given()).toEqual(['other']);
    expect(await given(`&asOf=${one}`)).toEqual(['marketing']);
    expect(await given(`&asOf=${both}`)).toEqual(['marketing', 'other']);
    expect(await given(`&asOf=${both}&orderBy=${encodeURIComponent('withProject desc')}`)).toEqual(['other', 'marketing']);
    expect([await received('marketing'), await received('marketing', `&asOf=${both}`), await received('other')]).toEqual([[], [`fraud/${group}`], [`fraud/${group}`]]);
    const { featureGroupShares } = await ok(callGrpc(platform.features, 'ListFeatureGroupShares', { project: 'fraud', filter: `${filter} AND withProject = marketing`, asOf: both }));
    expect(featureGroupShares).toMatchObject([{ project: 'fraud', group, withProject: 'marketing', sharedBy: 'local' }]);
    expect((await ok(callGrpc(platform.features, 'ListSharedFeatureGroups', { project: 'marketing', filter, asOf: both }))).sharedFeatureGroups).toMatchObject([{ name: `fraud/${group}` }]);
    const query = `query ($filter: String, $both: String) {
      now: featureGroupShares(project: "fraud", filter: $filter) { nodes { withProject } }
      then: featureGroupShares(project: "fraud", filter: $filter, asOf: $both) { nodes { group withProject } }
      sharedFeatureGroups(project: "marketing", filter: $filter, asOf: $both) { nodes { owner } }
    }`;
    expect(await ok(platform.graphql(query, { filter, both }))).toEqual({ now: { nodes: [{ withProject: 'other' }] }, then: { nodes: [{ group, withProject: 'marketing' }, { group, withProject: 'other' }] }, sharedFeatureGroups: { nodes: [{ owner: 'fraud' }] } });
    // Nobody learns from it what others share.
    expect((await ok(get(`/api/v1/projects/marketing/feature-group-shares?${asked('')}`))).featureGroupShares).toEqual([]);
  });

  test('is listed page by page', async () => {
    const { group } = await sharedGroup();
    const { position } = await ok(share(group, 'share', 'other'));
    const first = await ok(get(`/api/v1/projects/fraud/feature-group-shares?filter=${encodeURIComponent(`group = ${group}`)}&pageSize=1`, position));
    const second = await ok(get(`/api/v1/projects/fraud/feature-group-shares?filter=${encodeURIComponent(`group = ${group}`)}&pageSize=1&pageToken=${first.nextPageToken}`));
    expect([first, second].map(({ featureGroupShares }) => featureGroupShares[0].withProject)).toEqual(['marketing', 'other']);
    expect(second.nextPageToken).toBe('');
  });
});
