import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { callGrpc, callRest, type Outcome } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let monitoring: Client;
const group = '/api/v1/projects/p/feature-groups/airports';

beforeAll(async () => {
  platform = await testPlatform();
  const loaded = loadPackageDefinition(loadProtos(['tarl/features/v1/monitoring.proto'])) as any;
  monitoring = new loaded.tarl.features.v1.Monitoring(platform.addresses.grpc, credentials.createInsecure());
  await ok(platform.rest('/api/v1/projects', { project: 'p' }));
  await ok(platform.rest('/api/v1/projects/p/feature-groups', { group: 'airports', entities: [{ name: 'airport', type: 'STRING' }], features: [{ name: 'delay', type: 'DOUBLE' }, { name: 'carrier', type: 'STRING' }] }));
  const rows = (month: string, shift: number) => Array.from({ length: 300 }, (_, n) => ({ entity: { airport: `A${n}` }, eventTime: `2001-${month}-${String(1 + (n % 28)).padStart(2, '0')}T00:00:00Z`, values: { delay: (n % 10) + shift, ...(n % 3 > 0 && { carrier: 'ABC'[n % 3] }) } }));
  for (const [month, shift] of [['01', 0], ['02', 5]] as const) await ok(platform.rest(`${group}:write`, { rows: rows(month, shift) }));
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

const [january, february] = [['2001-01-01', '2001-02-01'], ['2001-02-01', '2001-03-01']].map(([start, end]) => ({ start: `${start}T00:00:00Z`, end: `${end}T00:00:00Z` })) as [Range, Range];
type Range = { start: string; end: string };

const measure: Record<string, (reference: Range, current: Range, more?: object) => Promise<Outcome>> = {
  rest: (reference, current, more = {}) => platform.rest(`${group}:measureDrift`, { reference, current, ...more }),
  grpc: (reference, current, more = {}) => callGrpc(monitoring, 'MeasureFeatureDrift', { project: 'p', group: 'airports', reference, current, ...more }),
  graphql: async (reference, current, more = {}) => {
    const outcome = await platform.graphql(
      `query ($reference: TimeRangeInput!, $current: TimeRangeInput!, $features: [String!], $tests: DriftTestsInput) { measureFeatureDrift(project: "p", group: "airports", reference: $reference, current: $current, features: $features, tests: $tests) {
        drifted features { feature test statistic pValue threshold verdict reference { rows mean edges counts categories { category count } } current { rows mean nullRate counts } } } }`,
      { reference, current, ...more },
    );
    return { ...outcome, answer: outcome.answer?.measureFeatureDrift };
  },
};

describe.each(Object.keys(measure))('a drift report over %s', (wire) => {
  const report = measure[wire]!;

  test('between two months tells how far each feature has moved, with what a plot needs', async () => {
    const { drifted, features } = await ok(report(january, february));
    expect(drifted).toBe(1);
    const [delay, carrier] = features;
    expect(delay).toMatchObject({ feature: 'delay', statistic: 0.5, threshold: 0.05, reference: { mean: 4.5, counts: expect.any(Array) }, current: { mean: 9.5, nullRate: 0 } });
    expect([Number(delay.reference.rows), Number(delay.current.rows), delay.reference.edges.length, delay.current.counts.length]).toEqual([300, 300, 21, 20]);
    expect(delay).toMatchObject({ test: 'KOLMOGOROV_SMIRNOV', verdict: 'DRIFTED' });
    expect(delay.pValue).toBeLessThan(1e-10);
    expect(carrier).toMatchObject({ test: 'Z_TEST', verdict: 'STABLE' });
    expect(carrier.reference.categories.map(({ category, count }: any) => [category, Number(count)])).toEqual([['B', 100], ['C', 100]]);
  });

  test('takes other tests and thresholds', async () => {
    const numbers = 'POPULATION_STABILITY';
    const [{ statistic, verdict }] = (await ok(report(january, february, { features: ['delay'], tests: { numbers } }))).features;
    expect(statistic).toBeGreaterThan(0.5);
    expect(verdict).toBe('UNDECIDED');
    const { drifted } = await ok(report(january, february, { features: ['delay'], tests: { numbers, populationStability: 0.2 } }));
    expect(drifted).toBe(1);
  });

  test.each<[string, Range, object, string, RegExp]>([
    ['a range that ends before it begins', { start: january.end, end: january.start }, {}, 'INVALID_ARGUMENT', /reference\.end.*not after the start/],
    ['a feature that there is not', january, { features: ['delay', 'nope'] }, 'INVALID_ARGUMENT', /features\[1\] names nope/],
    ['a p value that is none', january, { tests: { pValue: 1.5 } }, 'INVALID_ARGUMENT', /tests\.pValue/],
    ['a negative distance', january, { tests: { wasserstein: -1 } }, 'INVALID_ARGUMENT', /tests\.wasserstein/],
  ])('refuses %s', async (_what, reference, more, code, message) => {
    expect(await report(reference, february, more)).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('refused over rest', () => {
  test.each<[string, object, RegExp]>([
    ['no ranges', {}, /^reference: .*; current: /],
    ['a time without a zone', { reference: { ...january, start: '2001-01-01T00:00:00' }, current: february }, /reference\.start/],
    ['a year that no row has', { reference: { ...january, start: '1700-01-01T00:00:00Z' }, current: february }, /reference\.start.*1900/],
    ['an unknown field', { reference: january, current: february, test: 1 }, /test is not a field/],
    ['a test that numbers do not have', { reference: january, current: february, tests: { numbers: 'CHI_SQUARED' } }, /tests\.numbers/],
    ['a position that is none', { reference: january, current: february, knownAtPosition: 'x' }, /knownAtPosition/],
    ['a version that there is not', { reference: january, current: february, version: 7 }, /no version 7/],
  ])('is %s', async (_what, body, message) => {
    expect(await platform.rest(`${group}:measureDrift`, body)).toMatchObject({ code: expect.stringMatching(/INVALID_ARGUMENT|NOT_FOUND/), message: expect.stringMatching(message) });
  });

  test('a position beyond the end of the log', async () => {
    expect(await platform.rest(`${group}:measureDrift`, { reference: january, current: february, knownAtPosition: '99999999999' })).toMatchObject({ code: 'OUT_OF_RANGE' });
  });
});

describe('statistics', () => {
  const read = (query: string) => callRest(platform.addresses.rest, 'GET', `${group}/statistics?${query}`);

  test('come for each day over every wire', async () => {
    const { windows } = await ok(read(`start=${january.start}&end=2001-01-03T00:00:00Z&everySeconds=86400&features=delay`));
    expect(windows.map(({ start, rows, features }: any) => [start, rows, features.length])).toEqual([['2001-01-01T00:00:00.000Z', 11, 1], ['2001-01-02T00:00:00.000Z', 11, 1]]);
    expect(windows[0].features[0]).toMatchObject({ feature: 'delay', type: 'DOUBLE', nulls: 0, percentiles: expect.arrayContaining([{ percent: 50, value: expect.any(Number) }]) });
    const grpc = await ok(callGrpc(monitoring, 'GetFeatureStatistics', { project: 'p', group: 'airports', ...january }));
    expect(Number(grpc.windows[0].rows)).toBe(300);
    const graphql = await ok(platform.graphql(`{ featureStatistics(project: "p", group: "airports", start: "${january.start}", end: "${january.end}") { windows { rows latest features { feature nullRate } } } }`));
    expect(graphql.featureStatistics.windows).toEqual([{ rows: 300, latest: '2001-01-28T00:00:00.000Z', features: [{ feature: 'delay', nullRate: 0 }, { feature: 'carrier', nullRate: 1 / 3 }] }]);
  });

  test('asked again with their position do not change when late rows come', async () => {
    const query = `start=${january.start}&end=${january.end}`;
    const before = await ok(read(query));
    await ok(platform.rest(`${group}:write`, { rows: [{ entity: { airport: 'LATE' }, eventTime: '2001-01-15', values: { delay: 1000 } }] }));
    expect(await ok(read(`${query}&knownAtPosition=${before.knownAtPosition}`))).toEqual(before);
    expect((await ok(read(query))).windows[0].rows).toBe(301);
  });

  test.each([
    ['too many windows', `start=${january.start}&end=${january.end}&everySeconds=60`, /more than 1000 windows/],
    ['an end before the start', `start=${january.end}&end=${january.start}`, /end is not after the start/],
    ['windows of no length', `start=${january.start}&end=${january.end}&everySeconds=0`, /^everySeconds: .*1/],
    ['no start', `end=${january.end}`, /^start: /],
  ])('refuse %s', async (_what, query, message) => {
    expect(await read(query)).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
  });
});
