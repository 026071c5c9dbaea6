import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ownerKey } from './support/memory-core.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

// The shapes are those that Feast's Python feature server answers (sdk/python/feast/feature_server.py), from its documentation.
let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform({ TARL_FEAST_PROJECT: 'drivers' });
  await platform.rest('/api/v1/projects', { project: 'drivers' });
  await platform.rest('/api/v1/projects/drivers/feature-groups', {
    group: 'driver_hourly_stats', entities: [{ name: 'driver_id', type: 'INT64' }], ttlSeconds: 3600,
    features: [{ name: 'conv_rate', type: 'DOUBLE' }, { name: 'avg_daily_trips', type: 'INT64' }, { name: 'seen', type: 'TIMESTAMP' }, { name: 'note', type: 'STRING' }],
  });
  await platform.rest('/api/v1/projects/drivers/feature-services', { service: 'driver_activity', features: ['driver_hourly_stats:conv_rate'] });
});
afterAll(() => platform.close());

async function call(path: string, body?: unknown, headers: Record<string, string> = { authorization: `Bearer ${ownerKey}` }) {
  const response = await fetch(platform.addresses.rest + path, { method: body === undefined ? 'GET' : 'POST', headers: { 'content-type': 'application/json', ...headers }, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: response.status, position: response.headers.get('tarl-position') ?? '', text: await response.text() };
}
const recent = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z');
const frame = { driver_id: [1001, 1002, 1003], conv_rate: [1, 0.5, null], avg_daily_trips: ['9007199254740993', 7, null], seen: ['2020-02-02T00:00:00', null, null], note: [null, 'ü', null], event_timestamp: [recent, '2021-04-12 10:59:42', recent], created: [recent, recent, recent] };

describe("Feast's feature server", () => {
  test('takes what is pushed, and answers for entities with values, statuses and times', async () => {
    const pushed = await call('/push', { push_source_name: 'driver_hourly_stats', df: frame, to: 'online_and_offline', allow_registry_cache: true });
    expect(pushed).toMatchObject({ status: 200, text: 'null' });
    const question = { features: ['driver_hourly_stats:conv_rate', 'driver_hourly_stats:avg_daily_trips', 'driver_hourly_stats:seen'], entities: { driver_id: [1001, 1002, 1003, 9] } };
    const answer = await call('/get-online-features', question, { authorization: `Bearer ${ownerKey}`, 'tarl-min-position': pushed.position });
    const epoch = '1970-01-01T00:00:00Z';
    const times = [recent, '2021-04-12T10:59:42Z', recent, epoch];
    const statuses = ['PRESENT', 'OUTSIDE_MAX_AGE', 'NULL_VALUE', 'NOT_FOUND'];
    expect(JSON.parse(answer.text)).toEqual({
      metadata: { feature_names: ['driver_id', 'conv_rate', 'avg_daily_trips', 'seen'] },
      results: [
        { values: [1001, 1002, 1003, 9], statuses: ['PRESENT', 'PRESENT', 'PRESENT', 'PRESENT'], event_timestamps: [epoch, epoch, epoch, epoch] },
        { values: [1, 0.5, null, null], statuses, event_timestamps: times },
        { values: [9007199254740992, 7, null, null], statuses, event_timestamps: times },
        { values: [1_580_601_600, null, null, null], statuses: ['PRESENT', 'NULL_VALUE', 'NULL_VALUE', 'NOT_FOUND'], event_timestamps: times },
      ],
    });
    // What Python reads: a double with its point, and all digits of a whole number.
    expect(answer.text).toContain('"values":[1.0,0.5,null,null]');
    expect(answer.text).toContain('"values":[9007199254740993,7,null,null]');
  });

  test('answers for a feature service, with full names, and takes the project from the address', async () => {
    const answer = await call('/get-online-features?project=drivers', { feature_service: 'driver_activity', entities: { driver_id: [1001] }, full_feature_names: true });
    expect(JSON.parse(answer.text).metadata.feature_names).toEqual(['driver_id', 'driver_hourly_stats__conv_rate']);
  });

  test('answers with no values for a frame without rows', async () => {
    const answer = await call('/get-online-features', { features: ['driver_hourly_stats:note'], entities: { driver_id: [] } });
    expect(JSON.parse(answer.text)).toEqual({ metadata: { feature_names: ['driver_id', 'note'] }, results: [{ values: [], statuses: [], event_timestamps: [] }, { values: [], statuses: [], event_timestamps: [] }] });
  });

  test('gives computed features a time for each value too, the epoch, as it does for on-demand views', async () => {
    const position = (await platform.rest('/api/v1/projects/drivers/transformations', { transformation: 'trips', inputs: [{ name: 'n', feature: 'driver_hourly_stats:avg_daily_trips', type: 'INT64' }], outputs: [{ name: 'twice', expression: 'n * 2' }] })).answer.position;
    const answer = await call('/get-online-features', { features: ['trips:twice'], entities: { driver_id: [1002, 9] } }, { authorization: `Bearer ${ownerKey}`, 'tarl-min-position': position });
    expect(JSON.parse(answer.text).results[1]).toEqual({ values: [14, null], statuses: [expect.any(String), 'NOT_FOUND'], event_timestamps: ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z'] });
  });

  test('takes a frame as pandas gives it by default, for the mode that is named', async () => {
    const df = { driver_id: { 0: 7 }, conv_rate: { 0: 0.25 }, event_timestamp: { 0: recent } };
    const offline = await call('/push', { push_source_name: 'driver_hourly_stats', df, to: 'offline' });
    expect(offline.status).toBe(200);
    const read = async (position: string) => JSON.parse((await call('/get-online-features', { features: ['driver_hourly_stats:conv_rate'], entities: { driver_id: [7] } }, { authorization: `Bearer ${ownerKey}`, 'tarl-min-position': position })).text).results[1];
    expect(await read(offline.position)).toMatchObject({ statuses: ['NOT_FOUND'] });
    const online = await call('/push', { push_source_name: 'driver_hourly_stats', df });
    expect(await read(online.position)).toMatchObject({ values: [0.25], statuses: ['PRESENT'] });
  });

  test('takes numbers for times as seconds, which is how it gives them', async () => {
    const seconds = 1_700_000_000;
    const push = (event_timestamp: number) => call('/push', { push_source_name: 'driver_hourly_stats', df: { driver_id: [77], event_timestamp: [event_timestamp], seen: [seconds] } });
    const { status, position } = await push(seconds);
    expect(status).toBe(200);
    const answer = await call('/get-online-features', { features: ['driver_hourly_stats:seen'], entities: { driver_id: [77] } }, { authorization: `Bearer ${ownerKey}`, 'tarl-min-position': position });
    expect(JSON.parse(answer.text).results[1]).toEqual({ values: [seconds], statuses: ['OUTSIDE_MAX_AGE'], event_timestamps: ['2023-11-14T22:13:20Z'] });
    expect(await push(seconds * 1000)).toMatchObject({ status: 422 });
  });

  test('takes whole numbers of 64 bits as Python sends them, with all their digits', async () => {
    const send = (path: string, text: string, position = '') => fetch(platform.addresses.rest + path, { method: 'POST', body: text, headers: { authorization: `Bearer ${ownerKey}`, 'content-type': 'application/json', ...(position && { 'tarl-min-position': position }) } });
    const pushed = await send('/push', `{"push_source_name":"driver_hourly_stats","df":{"driver_id":[9007199254740993],"avg_daily_trips":[9007199254740995],"note":[9007199254740997],"event_timestamp":["${recent}"]}}`);
    expect(pushed.status).toBe(200);
    const answer = await send('/get-online-features', '{"features":["driver_hourly_stats:avg_daily_trips","driver_hourly_stats:note"],"entities":{"driver_id":[9007199254740993]}}', pushed.headers.get('tarl-position')!);
    expect(JSON.parse((await answer.text()).replaceAll(/\[(\d+)\]/g, '["$1"]')).results.map(({ values }: any) => values)).toEqual([['9007199254740993'], ['9007199254740995'], ['9007199254740997']]);
  });

  test('tells failures by the class of the exception that a client raises', async () => {
    const failed = async (path: string, body: unknown) => {
      const { status, text } = await call(path, body);
      return { status, ...JSON.parse(JSON.parse(text)) };
    };
    const errors = { module: 'feast.errors', message: expect.any(String) };
    expect(await failed('/get-online-features', { features: ['absent:x'], entities: { driver_id: [1] } })).toEqual({ status: 404, class: 'FeatureViewNotFoundException', ...errors });
    expect(await failed('/get-online-features', { feature_service: 'absent', entities: { driver_id: [1] } })).toEqual({ status: 404, class: 'FeatureServiceNotFoundException', ...errors });
    expect(await failed('/push', { push_source_name: 'absent', df: frame })).toEqual({ status: 422, class: 'PushSourceNotFoundException', ...errors });
    expect(await failed('/push', { push_source_name: 'driver_hourly_stats', df: { ...frame, conv_rate: ['x', 1, 1] } })).toMatchObject({ status: 422, class: 'FeastError', message: expect.stringContaining('conv_rate') });
    expect(await failed('/push', { push_source_name: 'driver_hourly_stats', df: frame, to: 'sideways' })).toMatchObject({ status: 422 });
    expect(await failed('/get-online-features', { features: ['driver_hourly_stats'], entities: { driver_id: [1, 2], other: [1] } })).toMatchObject({ status: 422, message: expect.stringContaining('entities.other') });
    expect(await failed('/get-online-features', { features: ['driver_hourly_stats:note'], entities: {} })).toMatchObject({ status: 422, message: expect.stringContaining('entities names no key') });
    expect(await failed('/get-online-features?project=NO', { features: [], entities: {} })).toMatchObject({ status: 422, message: expect.stringContaining('TARL_FEAST_PROJECT') });
  });

  test('is healthy for everybody, and answers nobody else without a key', async () => {
    expect(await call('/health', undefined, {})).toMatchObject({ status: 200, text: '' });
    expect(await call('/push', { push_source_name: 'driver_hourly_stats', df: frame }, {})).toMatchObject({ status: 401 });
  });
});
