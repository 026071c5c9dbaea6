import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tableFromIPC, tableToIPC, type Table } from 'apache-arrow';
import { ownerKey } from './support/memory-core.js';
import { until } from '../support/until.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
  await ok(platform.rest('/api/v1/projects', { project: 'flights' }));
  await ok(platform.rest('/api/v1/projects/flights/feature-groups', { group: 'airports', entities: [{ name: 'airport', type: 'STRING' }], features: [{ name: 'delay', type: 'INT64' }, { name: 'note', type: 'STRING' }], ttlSeconds: 3600 }));
  await write([['LAS', '2001-01-01T10:00:00Z', 3, 'fog, "dense"'], ['ATL', '2001-01-01T10:00:00Z', 5, ''], ['LAS', '2001-01-01T10:30:00Z', null, null]]);
});
afterAll(() => platform.close());

type Written = readonly [airport: string, eventTime: string, delay: number | null, note: string | null];

async function write(rows: readonly Written[]): Promise<string> {
  const answer = await ok(platform.rest('/api/v1/projects/flights/feature-groups/airports:write', { rows: rows.map(([airport, eventTime, delay, note]) => ({ entity: { airport }, eventTime, values: { delay, note } })) }));
  return answer.position;
}

async function ok(called: Promise<{ code: string; message?: string; answer?: any }>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}

const rows = [
  { airport: 'LAS', event_time: '2001-01-01T10:15:00Z', label: 'a' },
  { airport: 'ATL', event_time: '2001-01-01 11:00:00', label: 'b,"c"' },
  { airport: 'ATL', event_time: '2001-01-01T11:00:00.000001Z', label: null },
  { airport: 'PHX', event_time: '2001-01-01T11:00:00Z', label: '' },
];
const expected = [
  { ...rows[0], delay: 3, note: 'fog, "dense"' },
  { ...rows[1], delay: 5, note: '' },
  { ...rows[2], delay: null, note: null },
  { ...rows[3], delay: null, note: null },
];

/** A streamed answer over REST, as text. */
async function post(path: string, body: string, headers: Record<string, string>) {
  const response = await fetch(platform.addresses.rest + path, { method: 'POST', body, headers: { authorization: `Bearer ${ownerKey}`, 'content-type': 'application/json', ...headers } });
  return { status: response.status, type: response.headers.get('content-type'), position: response.headers.get('tarl-position'), text: await response.text() };
}
const historical = '/api/v1/projects/flights/features:historical';
const lines = (text: string) => text.trimEnd().split('\n').map((line) => JSON.parse(line));

/** All messages of a server stream. */
function stream(rpc: string, message: object | object[]): Promise<any[]> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${ownerKey}`);
  return new Promise((resolve, reject) => {
    const messages: any[] = [];
    const many = Array.isArray(message);
    const call = many ? (platform.features as any)[rpc](metadata) : (platform.features as any)[rpc](message, metadata);
    call.on('data', (one: unknown) => messages.push(one)).on('end', () => resolve(messages)).on('error', (error: ServiceError) => reject(error));
    if (many) {
      for (const one of message) call.write(one);
      call.end();
    }
  });
}

describe('a training set over REST', () => {
  test('comes as NDJSON, as CSV or as one document, whichever Accept names', async () => {
    const body = JSON.stringify({ features: ['airports'], rows });
    const asLines = await post(historical, body, { accept: 'application/x-ndjson' });
    expect(asLines).toMatchObject({ status: 200, type: 'application/x-ndjson; charset=utf-8' });
    expect(lines(asLines.text)).toEqual(expected);
    const asCsv = await post(historical, body, { accept: 'text/csv' });
    expect(asCsv.text).toBe(
      ['airport,event_time,label,delay,note', 'LAS,2001-01-01T10:15:00Z,a,3,"fog, ""dense"""', 'ATL,2001-01-01 11:00:00,"b,""c""",5,""', 'ATL,2001-01-01T11:00:00.000001Z,,,', 'PHX,2001-01-01T11:00:00Z,"",,', ''].join('\r\n'),
    );
    const asDocument = await post(historical, body, { accept: 'application/json' });
    expect(JSON.parse(asDocument.text)).toEqual({ rows: expected });
    expect((await post(historical, body, { accept: 'application/json;q=0.1, text/csv;q=0.8, */*;q=0.5' })).type).toMatch(/^text\/csv/);
    const neither = await post(historical, body, { accept: 'image/png, text/csv;q=0' });
    expect(neither).toMatchObject({ status: 406, type: expect.stringContaining('application/problem+json') });
    expect(JSON.parse(neither.text)).toMatchObject({ reason: 'NOT_ACCEPTABLE', detail: expect.stringContaining('application/vnd.apache.parquet') });
  });

  test('takes its rows as NDJSON or CSV, with the question in the query string', async () => {
    const asLines = await post(`${historical}?features=airports`, rows.map((row) => JSON.stringify(row)).join('\n'), { 'content-type': 'application/x-ndjson' });
    expect(lines(asLines.text)).toEqual(expected);
    const asCsv = await post(`${historical}?features=far:delay&alias=far:airports:airport=destination&fullNames=true&timeColumn=at`, 'destination,at\r\nLAS,2001-01-01T10:15:00Z\r\n,2001-01-01T10:15:00Z\r\n', { 'content-type': 'text/csv' });
    expect(lines(asCsv.text)).toEqual([{ destination: 'LAS', at: '2001-01-01T10:15:00Z', far__delay: 3 }, { destination: null, at: '2001-01-01T10:15:00Z', far__delay: null }]);
  });

  /** A binary answer over REST. */
  async function fetched(path: string, body: any, headers: Record<string, string>): Promise<Buffer> {
    const response = await fetch(platform.addresses.rest + path, { method: 'POST', body, headers: { authorization: `Bearer ${ownerKey}`, 'content-type': 'application/json', ...headers } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, headers['accept']]);
    return Buffer.from(await response.arrayBuffer());
  }
  const inArrow = { accept: 'application/vnd.apache.arrow.stream' };
  const inParquet = { accept: 'application/vnd.apache.parquet' };
  const typed = { airport: ['LAS', 'ATL', 'ATL', 'PHX'], event_time: [978344100000, 978346800000, 978346800000.001, 978346800000], label: ['a', 'b,"c"', null, ''], delay: [3n, 5n, null, null], note: ['fog, "dense"', '', null, null] };
  const columnsOf = (table: Table) => Object.fromEntries(table.schema.fields.map(({ name }) => [name, [...table.getChild(name)!]]));

  test('comes as Arrow, typed, in the order of its rows', async () => {
    const table = tableFromIPC(await fetched(historical, JSON.stringify({ features: ['airports'], rows }), inArrow));
    expect(table.schema.fields.map(({ name, type }) => `${name} ${String(type)}`)).toEqual(['airport Utf8', 'event_time Timestamp<MICROSECOND, UTC>', 'label Utf8', 'delay Int64', 'note Utf8']);
    expect(columnsOf(table)).toEqual(typed);
  });

  test('comes as Parquet, and takes Arrow and Parquet for its rows', async () => {
    const bytes = await fetched(historical, JSON.stringify({ features: ['airports:delay'], rows }), inParquet);
    // What came out goes in again: its columns keep their types.
    for (const type of ['application/vnd.apache.parquet', 'application/vnd.apache.arrow.stream', 'application/vnd.apache.arrow.file']) {
      const table = tableFromIPC(await fetched(historical, JSON.stringify({ features: ['airports:delay'], rows }), inArrow));
      const body = type.endsWith('parquet') ? bytes : type.endsWith('stream') ? tableToIPC(table, 'stream') : tableToIPC(table, 'file');
      const again = tableFromIPC(await fetched(`${historical}?features=airports:note`, body as never, { 'content-type': type, ...inArrow }));
      expect(columnsOf(again)).toEqual(typed);
    }
    const asLines = await post(`${historical}?features=airports:note`, bytes as never, { 'content-type': 'application/vnd.apache.parquet' });
    expect(lines(asLines.text)[0]).toEqual({ airport: 'LAS', event_time: '2001-01-01T10:15:00.000Z', label: 'a', delay: 3, note: 'fog, "dense"' });
  });

  test('keeps all digits of whole numbers in columns of the request, whichever way they come and go', async () => {
    const cells = '{"airport":"LAS","event_time":"2001-01-01T10:15:00Z","order":9007199254740993,"few":-9223372036854775808,"mixed":9007199254740993,"many":[9007199254740993,1],"huge":1e300,"share":0.12345678901234567}';
    const small = '{"airport":"LAS","event_time":"2001-01-01T10:15:00Z","order":7,"few":null,"mixed":1.5,"many":[],"huge":18446744073709551616,"share":0.5}';
    const shown = { order: '9007199254740993', few: '-9223372036854775808', mixed: '9007199254740993', many: ['9007199254740993', 1], huge: 1e300, share: 0.12345678901234567, delay: 3 };
    const question = `{"features":["airports:delay"],"rows":[${cells},${small}]}`;
    const [first, second] = lines((await post(historical, question, {})).text);
    expect([first, second]).toMatchObject([shown, { order: 7, few: null, mixed: 1.5, many: [], huge: 18446744073709551616, share: 0.5 }]);
    expect(lines((await post(`${historical}?features=airports:delay`, `${cells}\n${small}\n`, { 'content-type': 'application/x-ndjson' })).text)).toEqual([first, second]);
    const table = tableFromIPC(await fetched(historical, question, inArrow));
    expect(String(table.schema.fields[2]!.type)).toBe('Int64');
    expect(columnsOf(table)).toMatchObject({ order: [9007199254740993n, 7n], few: [-9223372036854775808n, null], mixed: ['9007199254740993', '1.5'] });
    const saved = await post('/api/v1/projects/flights/training-sets', `{"trainingSet":"digits","storeRows":true,${question.slice(1)}`, {});
    expect(saved).toMatchObject({ status: 200 });
    const kept = await fetch(`${platform.addresses.rest}/api/v1/projects/flights/training-sets/digits/rows`, { headers: { authorization: `Bearer ${ownerKey}` } });
    expect(lines(await kept.text())).toEqual([first, second]);
  });

  test('refuses Arrow and Parquet that it cannot read', async () => {
    for (const type of ['application/vnd.apache.parquet', 'application/vnd.apache.arrow.stream', 'application/vnd.apache.arrow.file']) {
      for (const body of ['', 'PAR1', 'ARROW1']) {
        const answer = await post(`${historical}?features=airports`, body, { 'content-type': type });
        expect(JSON.parse(answer.text)).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT' });
      }
    }
  });

  test('asked again at its position is the same to the byte, whatever was written since', async () => {
    const group = { group: 'changing', entities: [{ name: 'airport', type: 'STRING' }], features: [{ name: 'delay', type: 'INT64' }] };
    await ok(platform.rest('/api/v1/projects/flights/feature-groups', group));
    const writeMore = (delay: number) => ok(platform.rest('/api/v1/projects/flights/feature-groups/changing:write', { rows: [{ entity: { airport: 'LAS' }, eventTime: '2001-01-01T10:00:00Z', values: { delay } }] }));
    await writeMore(1);
    const ask = (knownAt?: object) => post(historical, JSON.stringify({ features: ['changing'], rows: [rows[0]], knownAt }), {});
    const first = await ask();
    await writeMore(2);
    await ok(platform.rest('/api/v1/projects/flights/feature-groups/changing:changeTtl', { ttlSeconds: 1 }));
    expect((await ask()).text).not.toBe(first.text);
    expect((await ask({ position: first.position })).text).toBe(first.text);
  });

  test('without a row says its columns with their types all the same, for a range and for rows', async () => {
    const range = JSON.stringify({ features: ['airports'], start: '1999-01-01', end: '1999-02-01' });
    const csv = { 'content-type': 'text/csv', accept: 'text/csv' };
    expect((await post(historical, range, { accept: 'text/csv' })).text).toBe('airport,event_time,delay,note\r\n');
    expect((await post(historical, range, { accept: 'application/json' })).text).toBe('{"rows":[\n]}\n');
    expect((await post(`${historical}?features=airports:delay`, 'label,airport,event_time\n', csv)).text).toBe('label,airport,event_time,delay\r\n');
    expect(await post(historical, JSON.stringify({ features: ['airports'], rows: [] }), {})).toMatchObject({ status: 200, text: '' });
    const arrow = await fetch(platform.addresses.rest + historical, { method: 'POST', body: range, headers: { authorization: `Bearer ${ownerKey}`, 'content-type': 'application/json', accept: 'application/vnd.apache.arrow.stream' } });
    const { schema } = tableFromIPC(await arrow.arrayBuffer());
    expect(schema.fields.map(({ name, type }) => `${name} ${String(type)}`)).toEqual(['airport Utf8', 'event_time Timestamp<MICROSECOND, UTC>', 'delay Int64', 'note Utf8']);
    expect(await stream('GetHistoricalFeatures', { project: 'flights', features: ['airports:delay'], columns: [{ name: 'airport' }] })).toMatchObject([{ rows: 0, columns: [{ name: 'airport' }, { name: 'event_time' }, { name: 'delay' }] }]);
  });

  test('takes times that are numbers of seconds where that is said, on every wire and in every format', async () => {
    const [seconds, question] = [978_343_200, { features: ['airports:delay'], rows: [{ airport: 'LAS', event_time: 978_343_200 }] }];
    const asked = async (body: object, accept = 'application/json') => post(historical, JSON.stringify(body), { accept });
    const { rows: [expected] } = JSON.parse((await asked({ ...question, rows: [{ airport: 'LAS', event_time: '2001-01-01T10:00:00.000Z' }] })).text);
    expect(JSON.parse((await asked(question)).text)).toMatchObject({ status: 400, detail: expect.stringContaining('in seconds that is 2001-01-01T10:00:00.000Z. Say timeUnit=seconds') });
    expect(JSON.parse((await asked({ ...question, timeUnit: 'seconds' })).text).rows).toEqual([expected]);
    expect(JSON.parse((await post(`${historical}?features=airports:delay&timeUnit=seconds`, `airport,event_time\nLAS,${seconds}\n`, { 'content-type': 'text/csv', accept: 'application/json' })).text).rows).toEqual([expected]);
    expect(JSON.parse((await asked({ ...question, timeUnit: 'minutes' })).text)).toMatchObject({ status: 400, fields: [{ field: 'timeUnit' }] });
    const query = 'query ($rows: [JSON!]!, $unit: String) { historicalFeatures(project: "flights", features: ["airports:delay"], rows: $rows, timeUnit: $unit) { rows } }';
    expect((await ok(platform.graphql(query, { rows: question.rows, unit: 'seconds' }))).historicalFeatures.rows).toEqual([expected]);
    expect(await platform.graphql(query, { rows: question.rows })).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const arrow = await fetch(platform.addresses.rest + historical, { method: 'POST', body: JSON.stringify({ ...question, timeUnit: 'seconds' }), headers: { authorization: `Bearer ${ownerKey}`, 'content-type': 'application/json', accept: 'application/vnd.apache.arrow.stream' } });
    expect(tableFromIPC(await arrow.arrayBuffer()).getChild('event_time')!.get(0)).toBe(seconds * 1000);
  });

  test('refuses a range that ends before it begins, and a range beside rows', async () => {
    const faulty = async (body: object, path = historical) => JSON.parse((await post(path, JSON.stringify({ features: ['airports'], ...body }), {})).text);
    const backwards = { start: '2001-02-01', end: '2001-01-01' };
    expect(await faulty(backwards)).toMatchObject({ status: 400, fields: [{ field: 'start', description: 'lies after the end' }] });
    expect(await faulty({ ...backwards, entities: [{ airport: 'LAS' }] }, historical.replace('historical', 'readOffline'))).toMatchObject({ status: 400, fields: [{ field: 'start' }] });
    expect(await faulty({ rows, start: '2001-01-01' })).toMatchObject({ status: 400, reason: 'RANGE_BESIDE_ROWS' });
    const overGrpc = { project: 'flights', features: ['airports'], start: '2001-02-01T00:00:00Z', end: '2001-01-01T00:00:00Z' };
    await expect(stream('GetHistoricalFeatures', overGrpc)).rejects.toMatchObject({ code: 3, details: 'start lies after the end' });
    await expect(stream('GetHistoricalFeatures', { ...overGrpc, columns: [{ name: 'airport', strings: ['LAS'] }], rowTimeUs: ['978344100000000'] })).rejects.toMatchObject({ code: 3 });
  });

  test('tells every fault of the question and of its rows', async () => {
    const faulty = async (body: object) => JSON.parse((await post(historical, JSON.stringify({ features: ['airports'], ...body }), {})).text);
    expect(await faulty({ rows: [{ airport: 'LAS', event_time: 'noon' }] })).toMatchObject({ status: 400, fields: [{ field: 'rows[0].event_time' }] });
    expect(await faulty({ rows: [{ airport: 'LAS' }] })).toMatchObject({ status: 400, fields: [{ field: 'rows[0].event_time' }] });
    expect(await faulty({ rows, knownAt: { position: 'x' } })).toMatchObject({ status: 400, fields: [{ field: 'knownAt.position' }] });
    expect(await faulty({ rows, features: [] })).toMatchObject({ status: 400 });
    expect(await faulty({ rows, features: ['absent'] })).toMatchObject({ status: 404 });
    expect(await faulty({ rows, more: 1 })).toMatchObject({ status: 400, fields: [{ field: 'more' }] });
    expect(JSON.parse((await post(historical, 'a,a\r\n1,2\r\n', { 'content-type': 'text/csv' })).text)).toMatchObject({ status: 400, reason: 'MALFORMED_CSV' });
  });
});

describe('the latest values of a whole group', () => {
  const get = (path: string, accept: string) => fetch(`${platform.addresses.rest}/api/v1/projects/flights/feature-groups/${path}`, { headers: { authorization: `Bearer ${ownerKey}`, accept, 'tarl-min-position': position } });
  let position: string;
  beforeAll(async () => {
    await ok(platform.rest('/api/v1/projects/flights/feature-groups', { group: 'latest', entities: [{ name: 'id', type: 'INT64' }], features: [{ name: 'n', type: 'INT64' }, { name: 'embedding', type: 'DOUBLE_LIST', constraints: { dimensions: 2 } }], ttlSeconds: 3600 }));
    const recent = new Date().toISOString();
    const rows = Array.from({ length: 7000 }, (_, id) => ({ entity: { id }, eventTime: id === 7 ? '2001-01-01T00:00:00Z' : recent, values: { n: id === 3 ? null : '9007199254740993', embedding: [id, 1] } }));
    position = (await ok(platform.rest('/api/v1/projects/flights/feature-groups/latest:write', { rows }))).position;
  });

  test('comes in every format, with what is too old marked', async () => {
    const table = tableFromIPC(await (await get('latest/rows:export', 'application/vnd.apache.arrow.stream')).arrayBuffer());
    expect(table.schema.fields.map(({ name, type }) => `${name} ${String(type)}`)).toEqual(['id Int64', 'event_time Timestamp<MICROSECOND, UTC>', 'n Int64', 'embedding FixedSizeList[2]<Float64>', '_outside_max_age Bool']);
    expect(table.numRows).toBe(7000);
    expect(new Set(table.getChild('id')!)).toEqual(new Set(Array.from({ length: 7000 }, (_, id) => BigInt(id))));
    const rows = lines(await (await get('latest/rows:export?features=n', 'application/x-ndjson')).text());
    expect(rows.filter(({ id }) => id === 3 || id === 7)).toEqual([
      { id: 3, event_time: expect.any(String), n: null, _outside_max_age: false },
      { id: 7, event_time: '2001-01-01T00:00:00.000Z', n: '9007199254740993', _outside_max_age: true },
    ]);
    expect((await (await get('latest@1/rows:export?features=n', 'text/csv')).text()).split('\r\n')).toHaveLength(7002);
  });

  test('keeps the times of rows apart from a key or a feature that is called like them', async () => {
    const write = async (group: string, key: string, feature: string) => {
      await ok(platform.rest('/api/v1/projects/flights/feature-groups', { group, entities: [{ name: key, type: 'STRING' }], features: [{ name: feature, type: 'INT64' }] }));
      const { position: written } = await ok(platform.rest(`/api/v1/projects/flights/feature-groups/${group}:write`, { rows: [{ entity: { [key]: 'k' }, eventTime: '2001-01-01', values: { [feature]: 5 } }] }));
      return fetch(`${platform.addresses.rest}/api/v1/projects/flights/feature-groups/${group}/rows:export`, { headers: { authorization: `Bearer ${ownerKey}`, accept: 'application/json', 'tarl-min-position': written } });
    };
    expect(await (await write('timed_feature', 'id', 'event_time')).json()).toEqual({ rows: [{ id: 'k', _event_time: '2001-01-01T00:00:00.000Z', event_time: 5 }] });
    expect(await (await write('timed_key', 'event_time', 'n')).json()).toEqual({ rows: [{ event_time: 'k', _event_time: '2001-01-01T00:00:00.000Z', n: 5 }] });
    const historical = (body: object) => platform.rest('/api/v1/projects/flights/features:historical', { features: ['timed_key'], ...body }, { accept: 'application/json' });
    expect(await historical({ start: '2000-01-01', end: '2002-01-01' })).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'ROWS_NEEDED', message: expect.stringContaining('has a key event_time') });
    expect((await ok(historical({ timeColumn: 'at', rows: [{ event_time: 'k', at: '2001-02-01' }] }))).rows).toEqual([{ event_time: 'k', at: '2001-02-01', n: 5 }]);
  });

  test('is refused for a feature or group that is not there', async () => {
    expect(await (await get('latest/rows:export?features=absent', '*/*')).json()).toMatchObject({ status: 400, fields: [{ field: 'features[0]' }] });
    expect(await (await get('absent/rows:export', '*/*')).json()).toMatchObject({ status: 404 });
    expect(await (await get('latest/rows:export?more=1', '*/*')).json()).toMatchObject({ status: 400 });
  });
});

describe('a training set over gRPC', () => {
  const question = {
    project: 'flights',
    features: ['airports:delay'],
    columns: [{ name: 'airport', strings: ['LAS', 'ATL', 'PHX'] }, { name: 'weight', doubles: [0.5, 0, 2], nulls: [1] }],
    rowTimeUs: ['978344100000000', '978346800000000', '978346800000000'],
  };

  test('comes in columns, with all columns of the request', async () => {
    const [batch, ...more] = await stream('GetHistoricalFeatures', question);
    expect(more).toEqual([]);
    expect(batch.rows).toBe(3);
    const [airport, weight, time, delay] = batch.columns;
    expect([airport.strings, weight.doubles, weight.nulls]).toEqual([['LAS', 'ATL', 'PHX'], [0.5, 0, 2], [1]]);
    expect([time.name, time.timesUs.map(String)]).toEqual(['event_time', question.rowTimeUs]);
    expect([delay.name, delay.ints.map(Number), delay.nulls]).toEqual(['delay', [3, 5, 0], [2]]);
    expect(batch.knownAt.position).toMatch(/^\d+/);
  });

  test('takes its rows in several messages', async () => {
    const part = (from: number, to: number) => ({ columns: [{ name: 'airport', strings: question.columns[0]!.strings!.slice(from, to) }], rowTimeUs: question.rowTimeUs.slice(from, to) });
    const [batch] = await stream('StreamHistoricalFeatures', [{ project: 'flights', features: ['airports:delay'], ...part(0, 1) }, part(1, 3)]);
    expect(batch.columns[2].ints.map(Number)).toEqual([3, 5, 0]);
  });

  test('comes in batches when it is large, in the order of the request', async () => {
    const count = 20_000;
    const large = { ...question, columns: [{ name: 'airport', strings: ['LAS'], stringIndex: Array(count).fill(0) }, { name: 'number', ints: Array.from({ length: count }, (_, at) => at) }], rowTimeUs: Array(count).fill('978344100000000') };
    const batches = await stream('GetHistoricalFeatures', large);
    expect(batches.length).toBeGreaterThan(1);
    expect(batches.flatMap(({ columns }) => columns[1].ints.map(Number))).toEqual(large.columns[1]!.ints);
    expect(new Set(batches.flatMap(({ columns }) => columns[3].ints.map(Number)))).toEqual(new Set([3]));
  });

  test('is refused like on the other wires', async () => {
    await expect(stream('GetHistoricalFeatures', { ...question, features: ['airports:speed'] })).rejects.toMatchObject({ code: 3 });
    await expect(stream('GetHistoricalFeatures', { ...question, knownAt: { position: '99999999999999' } })).rejects.toMatchObject({ code: 11 });
    await expect(stream('GetHistoricalFeatures', { ...question, project: 'elsewhere' })).rejects.toMatchObject({ code: 5 });
  });

  test('without rows has one row for each entity and event time of the range', async () => {
    const batches = await stream('GetHistoricalFeatures', { project: 'flights', features: ['airports:delay'], start: '2001-01-01T10:00:00Z', end: '2001-01-01T10:30:00Z' });
    expect(batches.reduce((sum, { rows: count }) => sum + count, 0)).toBe(3);
  });
});

test('a client that goes away ends the reading of its training set', async () => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${ownerKey}`);
  const count = 400_000;
  const question = { project: 'flights', features: ['airports:delay'], columns: [{ name: 'airport', strings: ['LAS'], stringIndex: Array(count).fill(0) }], rowTimeUs: Array(count).fill('978344100000000') };
  const call = (platform.features as any).GetHistoricalFeatures(question, metadata);
  const ended = new Promise((resolve) => call.once('error', resolve));
  call.once('data', () => call.cancel());
  expect(await ended).toMatchObject({ code: 1 });
  const metrics = async () => (await fetch(`${platform.addresses.rest}/metrics`, { headers: { authorization: `Bearer ${ownerKey}` } })).text();
  await until('the server has noticed', async () => /operation="GetHistoricalFeatures",code="CANCELLED"/.test(await metrics()));
});

describe('the history of chosen entities', () => {
  test('has a row for every event time, by entity and time', async () => {
    const body = { features: ['airports:delay'], entities: [{ airport: 'LAS' }, { airport: 'ATL' }], start: '2001-01-01', end: '2001-01-02' };
    const answer = await post('/api/v1/projects/flights/features:readOffline', JSON.stringify(body), {});
    expect(lines(answer.text)).toEqual([
      { airport: 'LAS', event_time: '2001-01-01T10:00:00.000Z', delay: 3 },
      { airport: 'LAS', event_time: '2001-01-01T10:30:00.000Z', delay: null },
      { airport: 'ATL', event_time: '2001-01-01T10:00:00.000Z', delay: 5 },
    ]);
    const [batch] = await stream('ReadOffline', { project: 'flights', features: ['airports:delay'], keys: [{ name: 'airport', strings: ['ATL'] }], start: '2001-01-01T00:00:00Z', end: '2001-01-02T00:00:00Z' });
    expect(batch).toMatchObject({ rows: 1, start: '2001-01-01T00:00:00.000Z' });
  });
});

describe('a read of a past moment', () => {
  const path = '/api/v1/projects/flights/features:readAsOf';
  const entities = [{ airport: 'LAS' }, { airport: 'ATL' }, { airport: 'PHX' }];

  test('gives the values of that moment, with statuses as of then', async () => {
    const answer = await ok(platform.rest(path, { features: ['airports:delay'], entities, at: '2001-01-01T10:29:59Z' }));
    expect(answer.rows.map(({ values, statuses }: any) => [values.delay, statuses.delay])).toEqual([[3, 'PRESENT'], [5, 'PRESENT'], [null, 'NOT_FOUND']]);
    const later = await ok(platform.rest(path, { features: ['airports:delay'], entities, at: '2001-01-01T11:00:01Z' }));
    expect(later.rows.map(({ values, statuses }: any) => [values.delay, statuses.delay])).toEqual([[null, 'NULL_VALUE'], [5, 'OUTSIDE_MAX_AGE'], [null, 'NOT_FOUND']]);
  });

  test('as of now is what the online read gives', async () => {
    const position = await write([['SEA', new Date().toISOString(), 9, 'new'], ['SEA', '2001-01-01T00:00:00Z', 1, 'old']]);
    const question = { features: ['airports'], entities: [...entities, { airport: 'SEA' }] };
    const online = await ok(platform.rest('/api/v1/projects/flights/features:readOnline', question, { 'tarl-min-position': position }));
    expect((await ok(platform.rest(path, question))).rows).toEqual(online.rows);
  });

  test('is the same over gRPC and GraphQL', async () => {
    const { features, knownAt } = await ok(platform.grpc('ReadAsOf', { project: 'flights', features: ['airports:delay'], keys: [{ name: 'airport', strings: ['LAS', 'ATL', 'PHX'] }], at: '2001-01-01T10:15:00Z' }));
    expect([features[0].values.ints.map(Number), [...Buffer.from(features[0].statuses, 'base64')]]).toEqual([[3, 5, 0], [1, 1, 3]]);
    expect(knownAt.position).toMatch(/^\d+/);
    const query = 'query ($entities: [JSON!]!) { readAsOf(project: "flights", features: ["airports:delay"], entities: $entities, at: "2001-01-01T10:15:00Z") { rows { values statuses } knownAt } }';
    const { readAsOf } = await ok(platform.graphql(query, { entities }));
    expect(readAsOf.rows.map(({ values }: any) => values.delay)).toEqual([3, 5, null]);
  });
});

test('GraphQL joins a small training set', async () => {
  const query = 'query ($rows: [JSON!]!) { historicalFeatures(project: "flights", features: ["airports"], rows: $rows) { rows knownAt } }';
  const { historicalFeatures } = await ok(platform.graphql(query, { rows }));
  expect(historicalFeatures.rows).toEqual(expected);
});

test('GraphQL refuses a whole number of which it has lost digits, in place of giving back another', async () => {
  const query = 'query ($rows: [JSON!]!) { historicalFeatures(project: "flights", features: ["airports"], rows: $rows) { rows } }';
  const asked = (order: unknown) => platform.graphql(query, { rows: [rows[1], { ...rows[0], order }] });
  expect(await asked(2 ** 53)).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'rows[1].order', description: expect.stringContaining('beyond 2^53') }] });
  expect((await ok(asked('9007199254740993'))).historicalFeatures.rows[1]).toMatchObject({ order: '9007199254740993' });
  const save = 'mutation ($input: SaveTrainingSetInput!) { saveTrainingSet(input: $input) { hash } }';
  expect(await platform.graphql(save, { input: { project: 'flights', trainingSet: 'rounded', features: ['airports'], rows: [{ ...rows[0], order: 2 ** 53 }] } })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'rows[0].order' }] });
});

describe('the deletion of an entity', () => {
  const group = async (name: string) => {
    await ok(platform.rest('/api/v1/projects/flights/feature-groups', { group: name, entities: [{ name: 'id', type: 'INT64' }], features: [{ name: 'n', type: 'INT64' }] }));
    const written = await ok(platform.rest(`/api/v1/projects/flights/feature-groups/${name}:write`, { rows: [1, 2].map((id) => ({ entity: { id }, eventTime: '2001-01-01T10:00:00Z', values: { n: id } })) }));
    return written.position as string;
  };
  const wires: Record<string, (name: string) => Promise<any>> = {
    rest: (name) => ok(platform.rest(`/api/v1/projects/flights/feature-groups/${name}:deleteEntity`, { entity: { id: 1 } })),
    grpc: (name) => ok(platform.grpc('DeleteFeatureEntity', { project: 'flights', group: name, entity: { id: 1 } })),
    graphql: async (name) => (await ok(platform.graphql('mutation ($input: DeleteFeatureEntityInput!) { deleteFeatureEntity(input: $input) { position } }', { input: { project: 'flights', group: name, entity: { id: '1' } } }))).deleteFeatureEntity,
  };

  test.each(Object.keys(wires))('over %s hides it online, as of then and in training sets; known_at before it tells that there was something', async (wire) => {
    const name = `gone_over_${wire}`;
    const before = await group(name);
    const { position } = await wires[wire]!(name);
    const after = { 'tarl-min-position': position };
    const question = { features: [name], entities: [{ id: 1 }, { id: 2 }] };
    const online = await ok(platform.rest('/api/v1/projects/flights/features:readOnline', question, after));
    expect(online.rows.map((row: any) => [row.statuses.n, row.values.n])).toEqual([['NOT_FOUND', null], ['PRESENT', 2]]);
    const asOf = async (more: object) => (await ok(platform.rest('/api/v1/projects/flights/features:readAsOf', { ...question, at: '2001-06-01T00:00:00Z', ...more }, after))).rows.map((row: any) => [row.statuses.n, row.values.n, row.eventTimes[name]]);
    const time = '2001-01-01T10:00:00.000Z';
    expect(await asOf({})).toEqual([['NOT_FOUND', null, null], ['PRESENT', 2, time]]);
    expect(await asOf({ knownAt: { position: before } })).toEqual([['DELETED', null, time], ['PRESENT', 2, time]]);
    const training = await post(historical, JSON.stringify({ features: [name], rows: [{ id: 1, event_time: '2001-06-01' }, { id: 2, event_time: '2001-06-01' }] }), {});
    expect(lines(training.text).map(({ n }) => n)).toEqual([null, 2]);
  });
});
