import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { treesOf } from '../../src/cli/features/lineage.js';
import { callRest } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let before: string;
let filling: string;
let last: string;
const project = '/api/v1/projects/p';

beforeAll(async () => {
  platform = await testPlatform();
  await ok(platform.rest('/api/v1/projects', { project: 'p' }));
  const card = [{ name: 'card', type: 'STRING' }];
  const amount = { name: 'amount', type: 'INT64' };
  await ok(platform.rest(`${project}/feature-groups`, { group: 'cards', entities: card, features: [amount, { name: 'where', type: 'STRING' }], source: { kind: 'table', name: 'warehouse.payments' } }));
  await ok(platform.rest(`${project}/feature-groups`, { group: 'shops', entities: card, features: [{ name: 'size', type: 'INT64' }] }));
  await ok(platform.rest(`${project}/transformations`, { transformation: 'doubled', inputs: [{ name: 'amount', feature: 'cards:amount', type: 'INT64' }], outputs: [{ name: 'twice', expression: 'amount * 2' }] }));
  await ok(platform.rest(`${project}/feature-services`, { service: 'risk', features: ['doubled:twice', 'cards:where', 'shops'] }));
  before = (await ok(platform.rest(`${project}/training-sets`, { trainingSet: 'january', service: 'risk', start: '2026-01-01', end: '2026-02-01' }))).position;
  await ok(platform.rest(`${project}/feature-groups`, { group: 'filled', entities: card, features: [{ name: 'double', type: 'INT64' }, { name: 'size', type: 'INT64' }] }));
  const steps = [{ feature: 'double', from: 'doubled:twice' }, { feature: 'size', from: 'shops:size' }];
  filling = (await ok(platform.rest(`${project}/pipelines`, { pipeline: 'fill', source: 'cards', steps, target: 'filled' }))).position;
  await ok(platform.rest(`${project}/feature-groups/cards:stageVersion`, { features: [amount, { name: 'where', type: 'STRING' }], source: { kind: 'topic', name: 'payments' } }));
  await ok(platform.rest(`${project}/feature-groups/cards:promoteVersion`, { version: 2 }));
  last = (await ok(platform.rest(`${project}/feature-services/risk:change`, { features: ['cards:where'] }))).position;
});
afterAll(() => platform.close());

async function ok(called: Promise<{ code: string; message?: string; answer?: any }>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}

const ask = (query: Record<string, string>) => callRest(platform.addresses.rest, 'GET', `${project}/feature-lineage?${new URLSearchParams(query)}`, undefined, { 'tarl-min-position': last });
const graph = (query: Record<string, string>) => ok(ask(query));
const ids = ({ nodes }: any): string[] => nodes.map(({ id }: any) => id).sort();

describe('the lineage of a feature', () => {
  test('leads downstream through transformations to services and training sets, with what was promoted then', async () => {
    const { nodes, edges } = await graph({ node: 'cards:amount', direction: 'DOWNSTREAM', asOf: before });
    expect(ids({ nodes })).toEqual(['FEATURE:p/cards@1:amount', 'FEATURE:p/doubled@1:twice', 'FEATURE_SERVICE:p/risk', 'TRAINING_SET:p/january', 'TRANSFORMATION:p/doubled@1']);
    expect(edges).toEqual(expect.arrayContaining([
      { from: 'FEATURE:p/cards@1:amount', to: 'TRANSFORMATION:p/doubled@1' },
      { from: 'TRANSFORMATION:p/doubled@1', to: 'FEATURE:p/doubled@1:twice' },
      { from: 'FEATURE:p/doubled@1:twice', to: 'FEATURE_SERVICE:p/risk' },
      { from: 'FEATURE_SERVICE:p/risk', to: 'TRAINING_SET:p/january' },
    ]));
    expect(nodes.find(({ id }: any) => id === 'FEATURE:p/cards@1:amount')).toMatchObject({ version: 1, promoted: true, archived: false, project: 'p', name: 'cards@1:amount' });
  });

  test('leads upstream to the source of its version, now the promoted one', async () => {
    expect(ids(await graph({ node: 'cards:where', direction: 'UPSTREAM' }))).toEqual(['FEATURE:p/cards@2:where', 'FEATURE_GROUP:p/cards@2', 'SOURCE:p/topic/payments']);
    expect(ids(await graph({ node: 'cards@1:where', direction: 'UPSTREAM' }))).toEqual(['FEATURE:p/cards@1:where', 'FEATURE_GROUP:p/cards@1', 'SOURCE:p/table/warehouse.payments']);
    expect(ids(await graph({ node: 'cards:where', direction: 'UPSTREAM', depth: '1' }))).toEqual(['FEATURE:p/cards@2:where', 'FEATURE_GROUP:p/cards@2']);
  });

  test('leads through a pipeline to the features that it fills, and back to all that it takes', async () => {
    expect(ids(await graph({ node: 'cards:amount', direction: 'DOWNSTREAM', asOf: filling }))).toEqual(
      expect.arrayContaining(['PIPELINE:p/fill@1', 'FEATURE:p/filled@1:double']),
    );
    const { nodes, edges } = await graph({ node: 'filled:double', direction: 'UPSTREAM', asOf: filling });
    expect(ids({ nodes })).toEqual(expect.arrayContaining(['FEATURE:p/doubled@1:twice', 'FEATURE:p/cards@1:amount', 'FEATURE:p/shops@1:size', 'FEATURE_GROUP:p/cards@1', 'SOURCE:p/table/warehouse.payments']));
    expect(edges).toEqual(expect.arrayContaining([
      { from: 'FEATURE_GROUP:p/cards@1', to: 'PIPELINE:p/fill@1' },
      { from: 'FEATURE:p/doubled@1:twice', to: 'PIPELINE:p/fill@1' },
      { from: 'PIPELINE:p/fill@1', to: 'FEATURE:p/filled@1:double' },
    ]));
    expect(ids(await graph({ node: 'fill', kind: 'PIPELINE', direction: 'DOWNSTREAM', depth: '1' }))).toEqual(['FEATURE:p/filled@1:double', 'FEATURE:p/filled@1:size', 'PIPELINE:p/fill@1']);
    expect(await ask({ node: 'fill', kind: 'PIPELINE', asOf: before })).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('is another as of another moment, by position or by time', async () => {
    const service = { node: 'risk', kind: 'FEATURE_SERVICE', direction: 'UPSTREAM', depth: '1' };
    expect(ids(await graph(service))).toEqual(['FEATURE:p/cards@2:where', 'FEATURE_SERVICE:p/risk']);
    expect(ids(await graph({ ...service, asOf: before }))).toEqual(['FEATURE:p/cards@1:where', 'FEATURE:p/doubled@1:twice', 'FEATURE:p/shops@1:size', 'FEATURE_SERVICE:p/risk']);
    expect(await ask({ node: 'risk', kind: 'FEATURE_SERVICE', asOf: '2020-01-01T00:00:00Z' })).toMatchObject({ code: 'NOT_FOUND', reason: 'LINEAGE_NODE_NOT_FOUND' });
  });
});

test('what a training set holds stays what it was made of', async () => {
  const made = await graph({ node: 'january', kind: 'TRAINING_SET', direction: 'UPSTREAM', depth: '1' });
  expect(ids(made)).toEqual(['FEATURE:p/cards@1:where', 'FEATURE:p/doubled@1:twice', 'FEATURE:p/shops@1:size', 'FEATURE_SERVICE:p/risk', 'TRAINING_SET:p/january']);
});

test('the whole graph is the same over every wire, and is told as a tree', async () => {
  const rest = await graph({});
  const query = '{ featureLineage(project: "p") { nodes { id kind project name version promoted archived } edges { from to } } }';
  const { featureLineage } = await ok(platform.graphql(query, {}, { 'tarl-min-position': last }));
  expect(featureLineage.nodes.map(({ id }: any) => id)).toEqual(rest.nodes.map(({ id }: any) => id));
  expect(featureLineage.edges).toEqual(rest.edges);
  expect(ids(await graph({ node: 'table/warehouse.payments', kind: 'SOURCE' }))).toContain('TRAINING_SET:p/january');
  expect(treesOf(await graph({ node: 'cards:amount', direction: 'DOWNSTREAM', asOf: before }), 'down')).toBe(
    ['feature cards@1:amount', '└─ transformation doubled@1', '   └─ feature doubled@1:twice', '      ├─ feature service risk', '      │  └─ training set january', '      └─ training set january'].join('\n'),
  );
});

test.each([
  ['a feature that is not there', { node: 'cards:nothing' }, 'NOT_FOUND', /no FEATURE cards:nothing/],
  ['a group that is not there', { node: 'nothing' }, 'NOT_FOUND', /no FEATURE_GROUP nothing/],
  ['a version that is not there', { node: 'cards@9:amount' }, 'NOT_FOUND', /cards@9/],
  ['no direction there is', { node: 'cards', direction: 'SIDEWAYS' }, 'INVALID_ARGUMENT', /direction/],
  ['no depth', { node: 'cards', depth: '0' }, 'INVALID_ARGUMENT', /depth/],
])('a question that names %s is refused', async (_, query, code, message) => {
  expect(await ask(query as Record<string, string>)).toMatchObject({ code, message: expect.stringMatching(message) });
});
