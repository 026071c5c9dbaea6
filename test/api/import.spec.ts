import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { ArrowWriter } from '../../src/platform/rows/arrow-writer.js';
import { ParquetTableWriter } from '../../src/platform/rows/parquet-writer.js';
import type { TypedColumn, TypedTable } from '../../src/platform/rows/typed.js';
import { callRest } from './support/clients.js';
import { ownerKey } from './support/memory-core.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform({ TARL_IMPORT_SPOOL_BYTES: '1048576' });
  await platform.rest('/api/v1/projects', { project: 'i' });
});
afterAll(() => platform.close());

const features = [
  { name: 'count', type: 'INT64', constraints: { min: 0 } },
  { name: 'score', type: 'DOUBLE' },
  { name: 'city', type: 'STRING' },
  { name: 'active', type: 'BOOL' },
  { name: 'seen', type: 'TIMESTAMP' },
  { name: 'embedding', type: 'DOUBLE_LIST', constraints: { dimensions: 2 } },
];
let groups = 0;
async function newGroup(): Promise<string> {
  const group = `group_${++groups}`;
  expect(await platform.rest('/api/v1/projects/i/feature-groups', { group, entities: [{ name: 'id', type: 'INT64' }], features })).toMatchObject({ code: 'OK' });
  return group;
}

const send = (group: string, body: string | Uint8Array, type: string, query = '', headers: Record<string, string> = {}) =>
  callRest(platform.addresses.rest, 'POST', `/api/v1/projects/i/feature-groups/${group}/rows:import${query}`, body, { 'content-type': type, ...headers });
const types = { csv: 'text/csv', ndjson: 'application/x-ndjson', parquet: 'application/vnd.apache.parquet', arrow: 'application/vnd.apache.arrow.stream', feather: 'application/vnd.apache.arrow.file' };

const timeUs = Date.UTC(2026, 0, 31, 12) * 1000 + 123_456;
const columns: TypedColumn[] = [
  { name: 'id', type: 'INT64', at: (row) => ['9007199254740993', 2][row] },
  { name: 'event_time', type: 'TIMESTAMP', at: () => timeUs },
  { name: 'count', type: 'INT64', at: (row) => ['9007199254740995', null][row] },
  { name: 'score', type: 'DOUBLE', at: (row) => [1, null][row] },
  { name: 'city', type: 'STRING', at: (row) => ['Köln "am\nRhein", \u{1F600}', ''][row] },
  { name: 'active', type: 'BOOL', at: (row) => [true, null][row] },
  { name: 'seen', type: 'TIMESTAMP', at: (row) => [Date.UTC(2020, 1, 2) * 1000, null][row] },
  { name: 'embedding', type: 'DOUBLE_LIST', at: (row) => [[1, 2.5], null][row] },
];
const written = (writer: { write(table: TypedTable): Iterable<Uint8Array>; finish(): Uint8Array }, table: TypedTable = { rows: 2, columns }) => Buffer.concat([...writer.write(table), writer.finish()]);
const files: Record<string, () => string | Uint8Array> = {
  csv: () => '\ufeffid,event_time,count,score,city,active,seen,embedding\r\n9007199254740993,2026-01-31T12:00:00.123456Z,9007199254740995,1,"Köln ""am\nRhein"", \u{1F600}",true,2020-02-02,"[1,2.5]"\r\n2,2026-01-31 12:00:00.123456,,,"",,,\r\n',
  ndjson: () =>
    `{"id":"9007199254740993","event_time":"2026-01-31T12:00:00.123456Z","count":"9007199254740995","score":1,"city":"Köln \\"am\\nRhein\\", \u{1F600}","active":true,"seen":"2020-02-02","embedding":[1,2.5]}\n{"id":2,"event_time":${timeUs},"city":""}`,
  parquet: () => written(new ParquetTableWriter()),
  arrow: () => written(new ArrowWriter()),
  feather: () => tableToIPC(tableFromIPC(written(new ArrowWriter())), 'file'),
};

describe.each(Object.keys(files) as (keyof typeof types)[])('a file of %s', (format) => {
  test('is stored with every type, null and time, and comes back', async () => {
    const group = await newGroup();
    const imported = await send(group, files[format]!(), types[format]);
    expect(imported).toMatchObject({ code: 'OK', answer: { rowsRead: 2, rowsWritten: 2, rowsRejected: 0, rowsQuarantined: 0, faults: [], columnsIgnored: [] } });
    const read = await platform.rest('/api/v1/projects/i/features:readOnline', { features: [group], entities: [{ id: '9007199254740993' }, { id: 2 }] }, { 'tarl-min-position': imported.answer.position });
    expect(read.answer.rows.map(({ values }: any) => values)).toEqual([
      { count: '9007199254740995', score: 1, city: 'Köln "am\nRhein", \u{1F600}', active: true, seen: '2020-02-02T00:00:00.000Z', embedding: [1, 2.5] },
      { count: null, score: null, city: '', active: null, seen: null, embedding: null },
    ]);
    expect(Object.values(read.answer.rows[0].eventTimes)).toEqual(['2026-01-31T12:00:00.123456Z']);
  });

  test('that breaks off, is empty or is something else is refused, and nothing is left behind', async () => {
    const group = await newGroup();
    const whole = Buffer.from(files[format]!());
    const spools = async () => (await readdir(tmpdir())).filter((name) => name.startsWith(`tarl-import-${process.pid}-`));
    const before = await spools();
    for (const body of [Buffer.alloc(0), Buffer.from([0, 159, 146, 150, 10, 255]), whole.subarray(0, Math.floor(whole.length * 0.9))]) {
      const refused = await send(group, body, types[format]);
      if (format === 'ndjson' && body.length === 0) expect(refused).toMatchObject({ code: 'OK', answer: { rowsRead: 0 } });
      else expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', status: 400 });
    }
    expect(await spools()).toEqual(before);
  });
});

const csv = (rows: number, count: (row: number) => unknown = (row) => row) => `id,event_time,count\n${Array.from({ length: rows }, (_, row) => `${row},2026-01-01T00:00:00Z,${count(row)}\n`).join('')}`;

describe('an import', () => {
  test('takes CSV as pandas writes it: truths with a capital, and whole numbers beside gaps as 1.0', async () => {
    const group = await newGroup();
    const imported = await send(group, 'id,event_time,count,active\n1.0,2026-01-01,5.0,True\n2.0,2026-01-01,,FALSE\n', types.csv);
    expect(imported).toMatchObject({ code: 'OK', answer: { rowsWritten: 2 } });
    const read = await platform.rest('/api/v1/projects/i/features:readOnline', { features: [`${group}:count`, `${group}:active`], entities: [{ id: 1 }, { id: 2 }] }, { 'tarl-min-position': imported.answer.position });
    expect(read.answer.rows.map(({ values }: any) => values)).toEqual([{ count: 5, active: true }, { count: null, active: false }]);
    expect(await send(group, 'id,event_time,count\n1,2026-01-01,5.5\n', types.csv)).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ description: expect.stringContaining('whole number') }] });
  });

  test('takes whole numbers of lines of JSON with all their digits, also where the group has texts', async () => {
    const group = await newGroup();
    const imported = await send(group, '{"id":9007199254740993,"event_time":"2026-01-01","count":9007199254740995,"city":9007199254740997,"score":9007199254740993,"embedding":[1,9007199254740992]}\n', types.ndjson);
    expect(imported).toMatchObject({ code: 'OK', answer: { rowsWritten: 1 } });
    const read = await platform.rest('/api/v1/projects/i/features:readOnline', { features: [group], entities: [{ id: '9007199254740993' }] }, { 'tarl-min-position': imported.answer.position });
    expect(read.answer.rows[0].values).toMatchObject({ count: '9007199254740995', city: '9007199254740997', score: 2 ** 53, embedding: [1, 2 ** 53] });
  });

  test('names what is a whole number where the group has something else, also under a key', async () => {
    const group = await newGroup();
    const rows = [...columns.filter(({ name }) => ['id', 'event_time'].includes(name)), { name: 'active', type: 'INT64', at: () => 1 }] as TypedColumn[];
    const writer = new ArrowWriter();
    const body = Buffer.concat([...writer.write({ rows: 1, columns: rows }), writer.finish()]);
    expect(await send(group, body, types.arrow, '', { 'idempotency-key': `${group}-1` })).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('active takes true or false') });
  });

  test('of what is no file of rows, or of a body that is compressed, says so', async () => {
    const group = await newGroup();
    expect(await send(group, csv(1), 'application/x-www-form-urlencoded')).toMatchObject({ code: 'INVALID_ARGUMENT', status: 415, message: expect.stringContaining('text/csv') });
    expect(await send(group, gzipSync(csv(1)), types.csv, '', { 'content-encoding': 'gzip' })).toMatchObject({ code: 'INVALID_ARGUMENT', status: 415, message: expect.stringMatching(/Content-Encoding gzip is not taken/) });
    const write = `/api/v1/projects/i/feature-groups/${group}:write`;
    expect(await callRest(platform.addresses.rest, 'POST', write, gzipSync('{}'), { 'content-type': 'application/json', 'content-encoding': 'gzip' })).toMatchObject({ status: 415, message: expect.stringContaining('gzip') });
    expect(await send(group, Buffer.from('id,event_time,city\n1,2026-01-01,a\n2,2026-01-01,caf\xe9\n', 'latin1'), types.csv)).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'Line 3 is not UTF-8' });
  });

  test('names bad rows by their line, and says what is stored', async () => {
    const group = await newGroup();
    const bad = csv(12_000, (row) => (row === 11_998 ? 'many' : row === 11_999 ? -1 : row));
    const refused = await send(group, bad, types.csv);
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'ROWS_REJECTED', fields: [{ field: 'line 12000, values.count', description: expect.stringContaining('whole number') }, { field: 'line 12001, values.count' }] });
    expect(refused.message).toContain('10000 rows of the file are stored and stay');
    const partial = await send(group, bad, types.csv, '?partial=true');
    expect(partial).toMatchObject({ code: 'OK', answer: { rowsWritten: 11_998, rowsRejected: 2, rowsQuarantined: 0, faults: [{ place: 'Line 12000', field: 'values.count' }, { place: 'Line 12001' }] } });
    const kept = await send(group, bad, types.csv, '?quarantine=true');
    expect(kept).toMatchObject({ answer: { rowsWritten: 11_998, rowsRejected: 2, rowsQuarantined: 2 } });
    const waiting = await callRest(platform.addresses.rest, 'GET', `/api/v1/projects/i/quarantined-rows?filter=${encodeURIComponent(`group = ${group} AND source = "Line 12000"`)}`);
    expect(waiting.answer.quarantinedRows).toMatchObject([{ entity: { id: 11_998 }, values: { count: 'many' } }]);
  });

  test('names by its line also the row that has the same value before it', async () => {
    const group = `group_${++groups}`;
    await platform.rest('/api/v1/projects/i/feature-groups', { group, entities: [{ name: 'id', type: 'INT64' }], features: [{ name: 'code', type: 'STRING', constraints: { unique: true } }] });
    const file = 'id,event_time,code\n1,2026-01-01,a\n2,2026-01-01,b\n3,2026-01-01,b\n';
    const sentence = 'is that of line 3 too, but no two rows of a request may have the same';
    expect(await send(group, file, types.csv)).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'line 4, values.code', description: sentence }] });
    expect(await send(group, file, types.csv, '?quarantine=true')).toMatchObject({ code: 'OK', answer: { faults: [{ place: 'Line 4', description: sentence }] } });
    const waiting = await callRest(platform.addresses.rest, 'GET', `/api/v1/projects/i/quarantined-rows?filter=${encodeURIComponent(`group = ${group}`)}`);
    expect(waiting.answer.quarantinedRows).toMatchObject([{ source: 'Line 4', faults: [{ field: 'values.code', description: sentence }] }]);
  });

  test('takes columns of other names, and says which it left out', async () => {
    const group = await newGroup();
    const imported = await send(group, 'key,at,n,more\n5,2026-01-01,7,x\n', types.csv, '?map=key=id&map=n=count&eventTime=at');
    expect(imported).toMatchObject({ code: 'OK', answer: { rowsWritten: 1, columnsIgnored: ['more'] } });
    expect(await send(group, 'key,at\n5,2026-01-01\n', types.csv)).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('lack id, event_time') });
    expect(await send(group, 'id,event_time\n5,2026-01-01\n', types.csv, '?map=id=nothing')).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'map.id' }] });
    expect(await send(group, 'id\n', types.csv, '?what=1')).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'what' }] });
    expect(await send('absent', 'id\n', types.csv)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await send(group, '{}', 'application/json')).toMatchObject({ status: 415 });
  });

  test('whose times are numbers of seconds is refused until that is said, instead of being of January 1970', async () => {
    const group = await newGroup();
    const [seconds, millis] = [1_700_000_000, 1_700_000_000_000];
    const parquet = written(new ParquetTableWriter(), { rows: 1, columns: [{ name: 'id', type: 'INT64', at: () => 1 }, { name: 'event_time', type: 'INT64', at: () => seconds }] });
    const bodies = [['ndjson', `{"id":1,"event_time":${seconds}}\n`], ['csv', `id,event_time\n1,${seconds}\n`], ['parquet', parquet]] as const;
    for (const [type, body] of bodies) {
      for (const query of ['', '?partial=true', '?quarantine=true']) expect(await send(group, body, types[type], query)).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED_ROWS', message: expect.stringMatching(/in seconds that is 2023-11-14T22:13:20.000Z. Say timeUnit=seconds/) });
      expect(await send(group, body, types[type], '?timeUnit=seconds')).toMatchObject({ code: 'OK', answer: { rowsWritten: 1 } });
    }
    const { answer } = await send(group, `id,event_time,seen\n1,${seconds},${millis}\n`, types.csv, '?timeUnit=seconds&timeUnit=seen=milliseconds');
    const { rows: [row] } = (await platform.rest('/api/v1/projects/i/features:readOnline', { features: [group], entities: [{ id: 1 }] }, { 'tarl-min-position': answer.position })).answer;
    expect(row).toMatchObject({ eventTimes: { [group]: '2023-11-14T22:13:20.000Z' }, values: { seen: '2023-11-14T22:13:20.000Z' } });
    expect(await send(group, `id,event_time\n1,${millis}\n`, types.csv, '?timeUnit=seconds')).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'ROWS_REJECTED' });
    for (const unit of ['minutes', 'seen=', 'nothing=seconds']) expect(await send(group, `id,event_time\n1,${seconds}\n`, types.csv, `?timeUnit=${unit}`)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('that breaks off and is sent again under its key loses and doubles nothing', async () => {
    const group = await newGroup();
    const whole = csv(22_000);
    const key = { 'idempotency-key': `import-${group}` };
    const cut = new ReadableStream({
      async start(controller) {
        controller.enqueue(Buffer.from(whole.slice(0, Math.floor(whole.length * 0.7))));
        await new Promise((resolve) => setImmediate(resolve));
        controller.error(new Error('the client dies'));
      },
    });
    await fetch(`${platform.addresses.rest}/api/v1/projects/i/feature-groups/${group}/rows:import`, { method: 'POST', body: cut as never, duplex: 'half', headers: { authorization: `Bearer ${ownerKey}`, 'content-type': 'text/csv', ...key } } as never).catch(() => undefined);
    const imported = await send(group, whole, types.csv, '', key);
    const again = await send(group, whole, types.csv, '', key);
    expect([imported.answer, again.answer]).toMatchObject([{ rowsWritten: 22_000 }, { rowsWritten: 22_000, position: imported.answer.position }]);
    const replay = await fetch(`${platform.addresses.rest}/api/v1/replay?type=FeatureRowsWritten&stream=features-i.${group}.*`, { headers: { authorization: `Bearer ${ownerKey}` } });
    const chunks = (await replay.text()).trim().split('\n').map((line) => JSON.parse(line).data);
    expect(chunks.reduce((rows, { keys, key: own }) => rows + (own ?? keys).length, 0)).toBe(22_000);
  });

  test('larger than what is read from its end is refused', async () => {
    const group = await newGroup();
    const wide: TypedColumn[] = [{ name: 'id', type: 'INT64', at: (row) => row }, columns[1]!, { name: 'score', type: 'DOUBLE', at: Math.sqrt }];
    const large = written(new ParquetTableWriter(), { rows: 100_000, columns: wide });
    expect(large.length).toBeGreaterThan(1_048_576);
    expect(await send(group, large, types.parquet)).toMatchObject({ code: 'RESOURCE_EXHAUSTED', status: 413 });
  });
});
