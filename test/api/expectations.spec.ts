import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { until } from '../support/until.js';
import { callGrpc, callRest, type Headers, type Outcome } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let monitoring: Client;
const project = '/api/v1/projects/p';
beforeAll(async () => {
  platform = await testPlatform();
  const loaded = loadPackageDefinition(loadProtos(['tarl/features/v1/monitoring.proto'])) as any;
  monitoring = new loaded.tarl.features.v1.Monitoring(platform.addresses.grpc, credentials.createInsecure());
  await ok(platform.rest('/api/v1/projects', { project: 'p' }));
});
afterAll(async () => {
  monitoring.close();
  await platform.close();
});

async function ok(called: Promise<Outcome>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}
const get = (path: string, headers?: Headers) => ok(callRest(platform.addresses.rest, 'GET', path, undefined, headers));

let groups = 0;
async function newGroup(...expectations: object[]): Promise<{ name: string; path: string }> {
  const name = `g${++groups}`;
  const path = `${project}/feature-groups/${name}`;
  await ok(platform.rest(`${project}/feature-groups`, { group: name, entities: [{ name: 'id', type: 'INT64' }], features: [{ name: 'x', type: 'DOUBLE' }, { name: 's', type: 'STRING' }] }));
  // The first write is before the expectations, so that this process has seen the group without any.
  await ok(platform.rest(`${path}:write`, { rows: rowsOf([null]) }));
  if (expectations.length > 0) await ok(platform.rest(`${path}:setExpectations`, { expectations }));
  return { name, path };
}
const rowsOf = (values: readonly (number | null)[], day = '2001-01-05') => values.map((x, id) => ({ entity: { id }, eventTime: day, values: { x } }));
const fewNulls = { name: 'few_nulls', kind: 'NULL_RATE', feature: 'x', max: 0.25 };
const inRange = { name: 'in_range', kind: 'RANGE', feature: 'x', min: 0, max: 10 };
const breachesOf = ({ name }: { name: string }) => get(`${project}/expectation-breaches?filter=${encodeURIComponent(`group = ${name}`)}&orderBy=recordedAt`).then(({ expectationBreaches }) => expectationBreaches);

describe('a write that breaks an expectation', () => {
  test('is refused with the field and the figures where the group says so, and nothing of it is stored', async () => {
    const group = await newGroup({ ...fewNulls, mode: 'REFUSE' }, { ...inRange, mode: 'REFUSE' });
    const refused = await platform.rest(`${group.path}:write`, { rows: rowsOf([null, null, 3, 11]) });
    expect(refused).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'EXPECTATION_BROKEN', message: expect.stringMatching(/2 of 4 values of x are null; at most 25 %.*1 of 2 values of x are not from 0 to 10/) });
    expect(refused.fields).toEqual([{ field: 'values.x', description: expect.stringMatching(/2 of 4.*\(few_nulls\)/) }, { field: 'values.x', description: expect.stringMatching(/1 of 2.*\(in_range\)/) }]);
    const grpc = await callGrpc(platform.features, 'WriteOnline', { project: 'p', group: group.name, rows: [{ entity: { id: 1 }, eventTime: '2001-01-05', values: { x: 12 } }] });
    expect(grpc).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'EXPECTATION_BROKEN' });
    const { position } = await ok(platform.rest(`${group.path}:write`, { rows: rowsOf([1, 2, null, 4]) }));
    const { windows } = await get(`${group.path}/statistics?start=2001-01-01T00:00:00Z&end=2001-02-01T00:00:00Z&features=x`, { 'tarl-min-position': position });
    expect(windows[0].features[0]).toMatchObject({ rows: 4, nulls: 1 });
    expect(await breachesOf(group)).toEqual([]);
  });

  test('is stored where it is only to be reported, and the breach is told once, with its figures', async () => {
    const group = await newGroup(fewNulls);
    const body = { rows: rowsOf([null, 2]) };
    const written = await ok(platform.rest(`${group.path}:write`, body, { 'idempotency-key': 'k1' }));
    expect(await ok(platform.rest(`${group.path}:write`, body, { 'idempotency-key': 'k1' }))).toEqual(written);
    await until('the breach is seen', async () => (await breachesOf(group)).length > 0);
    expect(await breachesOf(group)).toMatchObject([{ expectation: 'few_nulls', kind: 'NULL_RATE', feature: 'x', mode: 'REPORT', holds: false, observed: 0.5, limit: 0.25, rows: 2, broken: 1, commandId: written.commandId, window: null, actor: 'local' }]);
  });

  test('is judged by its good rows alone, and not at all when there are too few', async () => {
    const group = await newGroup({ ...fewNulls, mode: 'REFUSE', leastRows: 3 });
    await ok(platform.rest(`${group.path}:write`, { rows: rowsOf([null, null]) }));
    const partial = { partial: true, rows: [...rowsOf([1, 2, 3]), { entity: { id: 'none' }, eventTime: '2001-01-05', values: { x: null } }, { entity: { id: 'none' }, eventTime: '2001-01-05', values: { x: null } }] };
    expect(await ok(platform.rest(`${group.path}:write`, partial))).toMatchObject({ rowsWritten: 3, rowsRejected: 2 });
    expect(await platform.rest(`${group.path}:write`, { rows: rowsOf([null, null, null]) })).toMatchObject({ code: 'FAILED_PRECONDITION' });
    await ok(platform.rest(`${group.path}:setExpectations`, { expectations: [] }));
    await ok(platform.rest(`${group.path}:write`, { rows: rowsOf([null, null, null]) }));
  });
});

describe('a window', () => {
  const ofWindow = [fewNulls, { name: 'many', kind: 'ROW_COUNT', min: 5 }, { name: 'fresh', kind: 'FRESHNESS', max: 86_400 }];
  test('is held against what is expected, on demand over every wire', async () => {
    const group = await newGroup(...ofWindow);
    await ok(platform.rest(`${group.path}:write`, { rows: rowsOf([1, 2, 3, 4]) }));
    const { findings, rows } = await get(`${group.path}/expectations?start=2001-01-01T00:00:00Z&end=2001-01-06T00:00:00Z`);
    expect([rows, findings.map(({ expectation, holds, observed }: any) => [expectation, holds, observed])]).toEqual([4, [['few_nulls', true, 0], ['many', false, 4], ['fresh', true, 86_400]]]);
    const grpc = await ok(callGrpc(monitoring, 'CheckFeatureExpectations', { project: 'p', group: group.name, start: '2001-01-01T00:00:00Z', end: '2001-02-01T00:00:00Z' }));
    expect(grpc.findings.map(({ holds }: any) => holds)).toEqual([true, false, false]);
    const graphql = await ok(platform.graphql('query ($group: String!) { checkFeatureExpectations(project: "p", group: $group, start: "2002-01-01T00:00:00Z", end: "2002-02-01T00:00:00Z") { rows findings { expectation holds } } }', { group: group.name }));
    expect(graphql.checkFeatureExpectations).toEqual({ rows: 0, findings: [{ expectation: 'many', holds: false }, { expectation: 'fresh', holds: false }] });
  });

  test('of a drift check is held against it too, and what it breaks is told', async () => {
    const group = await newGroup(...ofWindow);
    await ok(platform.rest(`${group.path}:write`, { rows: rowsOf([1, 2, 3, null, null]) }));
    const january = { start: '2001-01-01T00:00:00Z', end: '2001-01-06T00:00:00Z' };
    await ok(platform.rest(`${group.path}/drift-checks`, { check: 'c', reference: january, current: january }));
    await until('the check is complete', async () => (await callRest(platform.addresses.rest, 'GET', `${group.path}/drift-checks/c`)).answer.status === 'COMPLETED');
    expect(await get(`${group.path}/drift-checks/c`)).toMatchObject({ broken: ['few_nulls'] });
    const byWindow = async () => (await breachesOf(group)).filter(({ window }: any) => window);
    await until('the breach is seen', async () => (await byWindow()).length > 0);
    expect(await byWindow()).toMatchObject([{ expectation: 'few_nulls', observed: 0.4, commandId: null, window: { start: '2001-01-01T00:00:00.000Z' } }]);
  });
});

describe('expectations', () => {
  test('are set over every wire, and seen', async () => {
    const group = await newGroup();
    await ok(callGrpc(monitoring, 'SetFeatureExpectations', { project: 'p', group: group.name, expectations: [fewNulls] }));
    expect(await ok(platform.rest(`${group.path}:setExpectations`, { expectations: [fewNulls] }))).toMatchObject({ changed: false });
    const set = await ok(platform.graphql('mutation ($input: SetFeatureExpectationsInput!) { setFeatureExpectations(input: $input) { changed position } }', { input: { project: 'p', group: group.name, expectations: [fewNulls, inRange] } }));
    expect((await get(`${group.path}/monitoring`, { 'tarl-min-position': set.setFeatureExpectations.position })).expectations).toEqual([{ ...fewNulls, share: 1, leastRows: 1, mode: 'REPORT' }, { ...inRange, share: 1, leastRows: 1, mode: 'REPORT' }]);
  });

  test.each<[string, object[], string, RegExp]>([
    ['of a feature that there is not', [{ ...fewNulls, feature: 'nope' }], 'INVALID_ARGUMENT', /expectations\[0\]\.feature names nope/],
    ['with a range of texts', [fewNulls, { ...inRange, feature: 's' }], 'INVALID_ARGUMENT', /expectations\[1\]\.feature names s, which is STRING/],
    ['named twice', [fewNulls, fewNulls], 'INVALID_ARGUMENT', /names an expectation twice/],
    ['without their figure', [{ ...fewNulls, max: undefined }], 'INVALID_ARGUMENT', /expectations\[0\]\.max/],
    ['of no kind', [{ name: 'e' }], 'INVALID_ARGUMENT', /expectations\[0\]\.kind/],
    ['that would refuse a window', [{ name: 'e', kind: 'ROW_COUNT', min: 1, mode: 'REFUSE' }], 'INVALID_ARGUMENT', /expectations\[0\]\.mode/],
  ])('%s are refused', async (_what, expectations, code, message) => {
    const { path } = await newGroup();
    expect(await platform.rest(`${path}:setExpectations`, { expectations })).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
