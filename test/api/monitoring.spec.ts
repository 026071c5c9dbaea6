import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { until } from '../support/until.js';
import { callGrpc, callRest, type Headers, type Outcome } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let monitoring: Client;
const project = '/api/v1/projects/p';
const group = `${project}/feature-groups/airports`;
const [january, february] = [['01', '02'], ['02', '03']].map(([from, to]) => ({ start: `2001-${from}-01T00:00:00Z`, end: `2001-${to}-01T00:00:00Z` })) as [{ start: string; end: string }, { start: string; end: string }];

beforeAll(async () => {
  platform = await testPlatform();
  const loaded = loadPackageDefinition(loadProtos(['tarl/features/v1/monitoring.proto'])) as any;
  monitoring = new loaded.tarl.features.v1.Monitoring(platform.addresses.grpc, credentials.createInsecure());
  await ok(platform.rest('/api/v1/projects', { project: 'p' }));
  for (const name of ['airports', 'unwatched']) {
    await ok(platform.rest(`${project}/feature-groups`, { group: name, entities: [{ name: 'airport', type: 'STRING' }], features: [{ name: 'delay', type: 'DOUBLE' }, { name: 'carrier', type: 'STRING' }] }));
  }
  for (const [month, shift] of [['01', 0], ['02', 5]] as const) await ok(platform.rest(`${group}:write`, { rows: rowsOf(month, shift) }));
  await ok(platform.rest(`${project}/feature-services`, { service: 'model', features: ['airports:delay'] }));
});
afterAll(async () => {
  monitoring.close();
  await platform.close();
});

const rowsOf = (month: string, shift: number, n = 200) =>
  Array.from({ length: n }, (_, at) => ({ entity: { airport: `A${at}` }, eventTime: `2001-${month}-${String(1 + (at % 28)).padStart(2, '0')}T00:00:00Z`, values: { delay: (at % 10) + shift, carrier: 'AB'[at % 2]! } }));

async function ok(called: Promise<Outcome>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}
const get = (path: string, headers?: Headers) => callRest(platform.addresses.rest, 'GET', path, undefined, headers);

async function ended(check: string): Promise<any> {
  let answer: any;
  await until(`${check} has ended`, async () => {
    ({ answer } = await get(`${group}/drift-checks/${check}`));
    return answer.endedAt !== undefined && answer.endedAt !== null;
  });
  return answer;
}

describe('a baseline', () => {
  test('is set over every wire, knows nothing of what is written later, and tells its figures', async () => {
    const set = await ok(platform.rest(`${group}:setBaseline`, january));
    expect(await ok(platform.rest(`${group}:setBaseline`, january))).toMatchObject({ changed: false });
    await ok(platform.rest(`${group}:write`, { rows: [{ entity: { airport: 'LATE' }, eventTime: '2001-01-15', values: { delay: 9 } }] }));
    const figures = await ok(get(`${group}/baseline`, { 'tarl-min-position': set.position }));
    expect(figures).toMatchObject({ start: january.start, service: null, knownAtPosition: set.position, rows: 200, features: [{ feature: 'delay', mean: 4.5, max: 9 }, { feature: 'carrier' }] });
    expect(await ok(callGrpc(monitoring, 'SetFeatureBaseline', { project: 'p', group: 'airports', ...january, knownAtPosition: set.position }))).toMatchObject({ changed: true });
    const again = await ok(platform.graphql('mutation ($input: SetFeatureBaselineInput!) { setFeatureBaseline(input: $input) { changed position } }', { input: { project: 'p', group: 'airports', ...january } }));
    expect(again.setFeatureBaseline.changed).toBe(true);
    // The one set last knows the late row.
    expect((await ok(get(`${group}/baseline`, { 'tarl-min-position': again.setFeatureBaseline.position }))).rows).toBe(201);
    expect((await ok(get(`${group}/baseline?asOf=${set.position}`))).rows).toBe(200);
    await ok(platform.rest(`${group}:setBaseline`, { ...january, knownAtPosition: set.position }));
  });

  test.each<[string, object, string, RegExp]>([
    ['of a group that is not there', { group: 'nope', ...january }, 'NOT_FOUND', /nope does not exist/],
    ['that ends before it begins', { start: january.end, end: january.start }, 'INVALID_ARGUMENT', /end.*not after the start/],
    ['of a service that is not there', { ...january, service: 'nope' }, 'NOT_FOUND', /nope does not exist/],
    ['of a service that gives nothing of the group', { group: 'unwatched', ...january, service: 'model' }, 'INVALID_ARGUMENT', /gives nothing of unwatched/],
    ['known at no position', { ...january, knownAtPosition: 'x' }, 'INVALID_ARGUMENT', /knownAtPosition/],
  ])('%s is refused', async (_what, { group: named = 'airports', ...body }: any, code, message) => {
    expect(await platform.rest(`${project}/feature-groups/${named}:setBaseline`, body)).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('a drift check', () => {
  test('is made in the background, once, and its figures stand in the log', async () => {
    const asked = await ok(platform.rest(`${group}/drift-checks`, { check: 'february', current: february }));
    expect(await ok(platform.rest(`${group}/drift-checks`, { check: 'february', current: february }))).toMatchObject({ changed: false });
    const check = await ended('february');
    expect(check).toMatchObject({ status: 'COMPLETED', version: 1, reference: { start: '2001-01-01T00:00:00.000Z' }, referenceRows: 200, currentRows: 200, measured: 2, drifted: ['delay'], broken: [], tick: null, requestedBy: expect.any(String) });
    expect(check.features.map(({ feature, test: made, verdict }: any) => [feature, made, verdict])).toEqual([['carrier', 'Z_TEST', 'STABLE'], ['delay', 'KOLMOGOROV_SMIRNOV', 'DRIFTED']]);
    // The rows of both windows were there when the baseline was set.
    const { baseline } = await ok(get(`${group}/monitoring`));
    const report = await ok(platform.rest(`${group}:measureDrift`, { reference: january, current: february, knownAtPosition: baseline.knownAtPosition }));
    const [delay] = report.features.filter(({ feature }: any) => feature === 'delay');
    expect(check.features[1]).toMatchObject(delay);
    expect(await platform.rest(`${group}/drift-checks`, { check: 'february', current: january })).toMatchObject({ code: 'ALREADY_EXISTS', reason: 'DRIFT_CHECK_EXISTS' });
    expect(asked.changed).toBe(true);
  });

  test('compares with another window or the training set of a service too', async () => {
    await ok(callGrpc(monitoring, 'RunDriftCheck', { project: 'p', group: 'airports', check: 'itself', reference: february, current: february, features: ['delay'] }));
    expect(await ended('itself')).toMatchObject({ status: 'COMPLETED', drifted: [], features: [{ feature: 'delay', statistic: 0, pValue: 1 }] });
    await ok(platform.rest(`${group}:setBaseline`, { ...january, service: 'model' }));
    await ok(platform.graphql('mutation ($input: RunDriftCheckInput!) { runDriftCheck(input: $input) { position } }', { input: { project: 'p', group: 'airports', check: 'by_service', current: february, tests: { numbers: 'WASSERSTEIN' } } }));
    const check = await ended('by_service');
    expect(check).toMatchObject({ status: 'COMPLETED', drifted: ['delay'], referenceRows: 201 });
    // The service gives no carrier, so nothing is known of it.
    expect(check.features).toMatchObject([{ feature: 'carrier', verdict: 'UNDECIDED', test: 'NONE' }, { feature: 'delay', test: 'WASSERSTEIN', verdict: 'DRIFTED' }]);
    expect((await ok(get(`${group}/baseline`))).features.map(({ feature }: any) => feature)).toEqual(['delay']);
  });

  test('and what it measured are told as they were at a moment, over every wire', async () => {
    const { position: asked } = await ok(platform.rest(`${group}/drift-checks`, { check: 'as_of', reference: january, current: february }));
    await ended('as_of');
    const named = { project: 'p', group: 'airports', check: 'as_of' };
    const filter = 'check = as_of';
    const then = `asOf=${asked}&filter=${encodeURIComponent(filter)}`;
    expect(await ok(get(`${group}/drift-checks/as_of?asOf=${asked}`))).toMatchObject({ status: 'REQUESTED', features: [], endedAt: null });
    expect((await ok(get(`${project}/drift-checks?${then}`))).driftChecks).toMatchObject([{ status: 'REQUESTED', measured: null }]);
    expect((await ok(get(`${project}/measured-drifts?${then}`))).measuredDrifts).toEqual([]);
    expect((await ok(get(`${project}/measured-drifts?filter=${encodeURIComponent(filter)}`))).measuredDrifts).toHaveLength(2);
    expect(await ok(callGrpc(monitoring, 'GetDriftCheck', { ...named, asOf: asked }))).toMatchObject({ status: 'REQUESTED', features: [] });
    expect((await ok(callGrpc(monitoring, 'ListDriftChecks', { project: 'p', filter, asOf: asked }))).driftChecks).toMatchObject([{ status: 'REQUESTED' }]);
    expect((await ok(callGrpc(monitoring, 'ListMeasuredDrifts', { project: 'p', filter, asOf: asked }))).measuredDrifts).toEqual([]);
    const query = `query ($filter: String, $asked: String) {
      driftCheck(project: "p", group: "airports", check: "as_of", asOf: $asked) { status features { feature } }
      driftChecks(project: "p", filter: $filter, asOf: $asked) { nodes { status } }
      measuredDrifts(project: "p", filter: $filter, asOf: $asked) { nodes { feature } }
      now: driftChecks(project: "p", filter: $filter) { nodes { status } }
    }`;
    expect(await ok(platform.graphql(query, { filter, asked }))).toEqual({ driftCheck: { status: 'REQUESTED', features: [] }, driftChecks: { nodes: [{ status: 'REQUESTED' }] }, measuredDrifts: { nodes: [] }, now: { nodes: [{ status: 'COMPLETED' }] } });
  });

  test('that cannot be made says why', async () => {
    await ok(platform.rest(`${group}/drift-checks`, { check: 'tomorrow', reference: january, current: february, knownAtPosition: '99999999999' }));
    expect(await ended('tomorrow')).toMatchObject({ status: 'FAILED', reason: expect.stringMatching(/beyond the end of the log/), features: [] });
  });

  test('is listed, and its features can be followed from window to window, over every wire', async () => {
    const { driftChecks } = await ok(get(`${project}/drift-checks?filter=${encodeURIComponent('group = airports AND status = COMPLETED')}&orderBy=${encodeURIComponent('requestedAt desc')}`));
    expect(driftChecks.map(({ check }: any) => check)).toEqual(['as_of', 'by_service', 'itself', 'february']);
    const { measuredDrifts } = await ok(get(`${project}/measured-drifts?filter=${encodeURIComponent('group = airports AND feature = delay')}&orderBy=windowStart&pageSize=2`));
    expect(measuredDrifts).toHaveLength(2);
    expect(measuredDrifts[0]).toMatchObject({ feature: 'delay', windowStart: '2001-02-01T00:00:00.000Z', statistic: expect.any(Number), current: { edges: expect.any(Array) } });
    const grpc = await ok(callGrpc(monitoring, 'ListMeasuredDrifts', { project: 'p', filter: 'feature = delay AND verdict = DRIFTED' }));
    expect(grpc.measuredDrifts.map(({ check }: any) => check)).toEqual(['as_of', 'by_service', 'february']);
    const graphql = await ok(platform.graphql('{ driftChecks(project: "p", filter: "status = FAILED") { nodes { check reason } } driftCheck(project: "p", group: "airports", check: "itself") { status features { verdict } } }'));
    expect(graphql).toMatchObject({ driftChecks: { nodes: [{ check: 'tomorrow' }] }, driftCheck: { status: 'COMPLETED', features: [{ verdict: 'STABLE' }] } });
  });

  test.each<[string, string, object, string, RegExp]>([
    ['without a baseline', 'unwatched', { check: 'c', current: february }, 'FAILED_PRECONDITION', /no baseline/],
    ['without a window', 'airports', { check: 'c' }, 'INVALID_ARGUMENT', /current/],
    ['under no name', 'airports', { current: february }, 'INVALID_ARGUMENT', /check/],
    ['of a feature that there is not', 'airports', { check: 'c', current: february, features: ['nope'] }, 'INVALID_ARGUMENT', /features\[0\] names nope/],
    ['of a group that is not there', 'nope', { check: 'c', current: february }, 'NOT_FOUND', /nope does not exist/],
  ])('%s is refused', async (_what, named, body, code, message) => {
    expect(await platform.rest(`${project}/feature-groups/${named}/drift-checks`, body)).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('that was never asked for is not found', async () => {
    expect(await get(`${group}/drift-checks/nope`)).toMatchObject({ code: 'NOT_FOUND', reason: 'DRIFT_CHECK_NOT_FOUND' });
  });
});

describe('a baseline by a saved training set', () => {
  const cities = `${project}/feature-groups/cities`;
  const at = (day: number) => `2001-01-${String(1 + day).padStart(2, '0')}T00:00:00Z`;
  const entityOf = (n: number) => ({ city: `C${n}` });
  const moments = Array.from({ length: 60 }, (_, n) => ({ ...entityOf(n), seen: at((n % 20) + 1), label: n % 2 }));
  const baseline = async (trainingSet: string) => {
    const { position } = await ok(platform.rest(`${cities}:setBaseline`, { trainingSet }));
    return ok(get(`${cities}/baseline`, { 'tarl-min-position': position }));
  };
  const write = (rows: readonly (readonly [number, string, number])[]) => ok(platform.rest(`${cities}:write`, { rows: rows.map(([n, eventTime, heat]) => ({ entity: entityOf(n), eventTime, values: { heat, sky: 'clear' } })) }));

  beforeAll(async () => {
    await ok(platform.rest(`${project}/feature-groups`, { group: 'cities', entities: [{ name: 'city', type: 'STRING' }], features: [{ name: 'heat', type: 'DOUBLE' }, { name: 'sky', type: 'STRING' }] }));
    await write(moments.map((_, n) => [n, at(n % 20), n % 10]));
    const save = (trainingSet: string, question: object) => ok(platform.rest(`${project}/training-sets`, { trainingSet, features: ['cities:heat'], ...question }));
    const ofRows = { rows: moments, timeColumn: 'seen', features: ['cities:heat', 'airports:delay'], aliases: [{ alias: 'airports', group: 'airports', keyColumns: { airport: 'city' } }], fullNames: true };
    await save('stored', { ...ofRows, storeRows: true });
    await save('asked_again', ofRows);
    await save('of_a_range', { start: at(0), end: at(9) });
    await save('of_nobody', { start: '1999-01-01', end: '1999-02-01' });
    await save('of_others', { features: ['airports:delay'], start: january.start, end: january.end });
    await save('twice', { features: ['one:heat', 'other:heat'], aliases: ['one', 'other'].map((alias) => ({ alias, group: 'cities', keyColumns: {} })), fullNames: true, rows: moments, timeColumn: 'seen' });
  });

  test.each([['stored', 60, at(1), '2001-01-21T00:00:00.000001Z'], ['asked_again', 60, at(1), '2001-01-21T00:00:00.000001Z'], ['of_a_range', 30, at(0), '2001-01-10T00:00:00.000001Z']])('%s has its rows and its place in the log, whatever is written later', async (name, rows, start, end) => {
    const { position } = await ok(get(`${project}/training-sets/${name}`)).then(({ knownAt }) => knownAt);
    const figures = await baseline(name);
    expect(figures).toMatchObject({ trainingSet: name, service: null, rows, knownAtPosition: position, start: new Date(start).toISOString(), end, features: [{ feature: 'heat', rows, nulls: 0, min: 0, max: 9, mean: 4.5 }] });
    await write([[0, at(0), 5000], [70, at(2), 5000]]);
    expect(await baseline(name)).toEqual(figures);
    expect((await ok(get(`${cities}/monitoring`))).baseline).toMatchObject({ trainingSet: name, start: null, end: null });
    await write([[0, at(0), 0]]);
  });

  test('is what a check compares a window with', async () => {
    await baseline('stored');
    await write(moments.map((_, n) => [n, `2001-02-${String(1 + (n % 20)).padStart(2, '0')}T00:00:00Z`, (n % 10) + 7]));
    await ok(platform.rest(`${cities}/drift-checks`, { check: 'c', current: february }));
    let check: any;
    await until('the check has ended', async () => ((check = (await get(`${cities}/drift-checks/c`)).answer).endedAt ?? null) !== null);
    expect(check).toMatchObject({ status: 'COMPLETED', referenceRows: 60, currentRows: 60, drifted: ['heat'], reference: { start: '2001-01-02T00:00:00.000Z', end: '2001-01-21T00:00:00.000001Z' } });
    // The training set does not hold the sky, so nothing is known of it.
    expect(check.features).toMatchObject([{ feature: 'heat', verdict: 'DRIFTED', reference: { mean: 4.5 } }, { feature: 'sky', verdict: 'UNDECIDED', reason: 'The reference has no values' }]);
  });

  test('is set and told over gRPC and GraphQL too', async () => {
    const { position } = await ok(callGrpc(monitoring, 'SetFeatureBaseline', { project: 'p', group: 'cities', trainingSet: 'of_a_range' }));
    expect(await ok(callGrpc(monitoring, 'GetFeatureBaseline', { project: 'p', group: 'cities' }, { 'tarl-min-position': position }))).toMatchObject({ trainingSet: 'of_a_range', rows: '30' });
    const set = await ok(platform.graphql('mutation ($input: SetFeatureBaselineInput!) { setFeatureBaseline(input: $input) { position } }', { input: { project: 'p', group: 'cities', trainingSet: 'stored' } }));
    const told = await ok(platform.graphql('{ featureMonitoring(project: "p", group: "cities") { baseline { trainingSet start service } } featureBaseline(project: "p", group: "cities") { trainingSet rows } }', {}, { 'tarl-min-position': set.setFeatureBaseline.position }));
    expect(told).toEqual({ featureMonitoring: { baseline: { trainingSet: 'stored', start: null, service: null } }, featureBaseline: { trainingSet: 'stored', rows: 60 } });
  });

  test.each<[string, object, string, RegExp]>([
    ['that is not there', { trainingSet: 'nope' }, 'NOT_FOUND', /Training set nope does not exist/],
    ['without rows', { trainingSet: 'of_nobody' }, 'INVALID_ARGUMENT', /trainingSet names of_nobody, which has no rows/],
    ['of other groups', { trainingSet: 'of_others' }, 'INVALID_ARGUMENT', /which holds nothing of cities/],
    ['that has a feature twice', { trainingSet: 'twice' }, 'INVALID_ARGUMENT', /which holds heat of cities more than once/],
    ['beside a window', { trainingSet: 'stored', ...january }, 'INVALID_ARGUMENT', /start: is given beside trainingSet.*end: is given beside trainingSet/],
    ['beside a service', { trainingSet: 'stored', service: 'model' }, 'INVALID_ARGUMENT', /service: is given beside trainingSet/],
    ['beside a position', { trainingSet: 'stored', knownAtPosition: '1' }, 'INVALID_ARGUMENT', /knownAtPosition: is given beside trainingSet/],
    ['or a window left out', {}, 'INVALID_ARGUMENT', /start: is needed, or trainingSet in its place; end: is needed/],
  ])('%s is refused', async (_what, body, code, message) => {
    expect(await platform.rest(`${cities}:setBaseline`, body)).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('loses the rows of entities that are deleted, stored or not', async () => {
    await ok(platform.rest(`${cities}:deleteEntity`, { entity: entityOf(9) }));
    for (const name of ['stored', 'asked_again']) expect(await baseline(name)).toMatchObject({ rows: 59, features: [{ feature: 'heat', nulls: 0 }] });
    await ok(platform.rest(`${project}/training-sets`, { trainingSet: 'after', features: ['cities:heat'], rows: moments, timeColumn: 'seen', storeRows: true }));
    expect(await baseline('after')).toMatchObject({ features: [{ feature: 'heat', mean: expect.closeTo((4.5 * 60 - 9) / 59, 9) }] });
  });
});

describe('a monitor', () => {
  const monitor = { cron: '0 3 * * *', timeZone: 'Europe/Vienna', windowSeconds: 86_400 };
  test('is set, seen and removed', async () => {
    const { position } = await ok(platform.rest(`${group}:setMonitor`, monitor));
    expect(await ok(get(`${group}/monitoring`, { 'tarl-min-position': position }))).toMatchObject({ monitor: { ...monitor, delaySeconds: 0, features: [], tests: { pValue: 0.05 } }, monitorSince: expect.any(String), expectations: [], baseline: { service: 'model' } });
    const graphql = await ok(platform.graphql('{ featureMonitoring(project: "p", group: "airports") { monitor { cron windowSeconds } } }'));
    expect(graphql.featureMonitoring.monitor).toEqual({ cron: monitor.cron, windowSeconds: 86_400 });
    const removed = await ok(platform.rest(`${group}:removeMonitor`, {}));
    expect((await ok(get(`${group}/monitoring`, { 'tarl-min-position': removed.position }))).monitor).toBeNull();
    expect((await ok(get(`${group}/monitoring?asOf=${position}`))).monitor).toMatchObject(monitor);
  });

  test.each<[string, object, RegExp]>([
    ['four fields', { ...monitor, cron: '0 3 * *' }, /cron.*five fields/],
    ['a minute that there is not', { ...monitor, cron: '60 3 * * *' }, /cron.*0 to 59 as the minute/],
    ['a day that no month has', { ...monitor, cron: '0 3 31 4,6 *' }, /cron.*no month has/],
    ['a time zone that there is not', { ...monitor, timeZone: 'Europe/Atlantis' }, /timeZone/],
    ['a window of a second', { ...monitor, windowSeconds: 1 }, /windowSeconds/],
    ['no schedule', { windowSeconds: 86_400 }, /cron/],
  ])('with %s is refused', async (_what, body, message) => {
    expect(await platform.rest(`${group}:setMonitor`, body)).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
  });

  test('without a baseline is refused, and of what is not watched nothing is known', async () => {
    expect(await platform.rest(`${project}/feature-groups/unwatched:setMonitor`, monitor)).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NO_BASELINE' });
    expect(await get(`${project}/feature-groups/unwatched/monitoring`)).toMatchObject({ code: 'NOT_FOUND', reason: 'FEATURE_MONITORING_NOT_FOUND' });
  });
});
