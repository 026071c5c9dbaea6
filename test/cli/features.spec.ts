import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolder, tarlUp, type RunningTarl } from '../support/tarl.js';
import { runTarl } from './run.js';

describe('tarl with a platform that is up', () => {
  let data: Awaited<ReturnType<typeof dataFolder>>;
  let platform: RunningTarl;
  let files: string;
  const run = (args: string[], input?: string) => runTarl(args, { env: { TARL_DATA_DIR: data.path }, input });
  const json = async (...args: string[]) => JSON.parse((await run([...args, '--json'])).stdout);

  beforeAll(async () => {
    data = await dataFolder();
    files = await mkdtemp(join(tmpdir(), 'tarl-test-files-'));
    platform = await tarlUp(data.path);
    for (const args of [
      ['projects', 'create', 'flights'],
      ['features', 'create', 'flights/airports', '--entities', 'origin:STRING', '--features', 'delay_min:INT64,destination:STRING'],
      ['features', 'create', 'flights/routes', '--entities', 'origin:STRING,destination:STRING', '--features', 'delay_min:DOUBLE'],
    ]) expect(await run(args)).toMatchObject({ code: 0, stderr: '' });
  });
  afterAll(async () => {
    await platform.stop();
    await data.remove();
    await rm(files, { recursive: true });
  });

  test('status shows addresses, versions and every view, and is ready', async () => {
    expect(await json('status')).toMatchObject({ ready: true, addresses: platform.addresses, postgres: expect.stringMatching(/^18/), views: expect.arrayContaining([expect.objectContaining({ name: 'feature-online' })]) });
    expect((await run(['status'])).stdout).toContain(platform.addresses.grpc);
  });

  test('a CSV file is written, and the latest values are read as soon as it is', async () => {
    await writeFile(join(files, 'airports.csv'), 'origin,date,delay,destination\nORD,2001-01-01 10:00,5,LAX\nORD,2001-01-01 12:00,,ATL\nATL,2001-01-01T09:00:00+01:00,-3,ORD\n');
    const written = await json('features', 'write', 'flights/airports', join(files, 'airports.csv'), '--event-time', 'date', '--rename', 'delay_min=delay');
    expect(written).toMatchObject({ rowsWritten: 3, rowsRejected: 0 });
    expect(await json('features', 'read', 'flights/airports', 'ORD', 'ATL', 'XXX', '--min-position', written.position)).toEqual([
      { entity: { origin: 'ORD' }, eventTime: '2001-01-01T12:00:00.000Z', values: { delay_min: { value: null, status: 'NULL_VALUE' }, destination: { value: 'ATL', status: 'PRESENT' } } },
      { entity: { origin: 'ATL' }, eventTime: '2001-01-01T08:00:00.000Z', values: { delay_min: { value: -3, status: 'PRESENT' }, destination: { value: 'ORD', status: 'PRESENT' } } },
      { entity: { origin: 'XXX' }, eventTime: null, values: { delay_min: { value: null, status: 'NOT_FOUND' }, destination: { value: null, status: 'NOT_FOUND' } } },
    ]);
  });

  test('a group of another project is read and exported as the project that it is shared with', async () => {
    const { position: written } = JSON.parse((await run(['features', 'write', 'flights/routes', '-', '--format', 'ndjson', '--json'], '{"origin":"SFO","destination":"LAX","event_time":"2001-01-01T10:00:00Z","delay_min":2}\n')).stdout);
    await json('projects', 'create', 'guests');
    await json('features', 'share', 'flights/routes', '--with-project', 'guests');
    const values = { delay_min: { value: 2, status: 'PRESENT' } };
    for (const name of ['guests/flights/routes', 'guests/flights/routes@1', 'flights/routes@1']) {
      expect(await json('features', 'read', name, 'SFO,LAX', '--min-position', written)).toMatchObject([{ values }]);
      expect((await json('features', 'as-of', name, 'SFO,LAX', '--at', '2001-02-01')).vectors).toMatchObject([{ values }]);
    }
    await json('features', 'export', 'guests/flights/routes', join(files, 'shared.ndjson'), '--min-position', written);
    await json('features', 'export', 'guests/flights/routes', join(files, 'history.ndjson'), '--start', '2001-01-01', '--end', '2001-02-01');
    for (const name of ['shared', 'history']) expect(await readFile(join(files, `${name}.ndjson`), 'utf8')).toContain('"origin":"SFO"');
    expect((await run(['features', 'read', 'guests/flights/routes/more', 'SFO,LAX'])).stderr).toContain('is not <project/group>');
  });

  test('lines of JSON come through standard input, and an entity of two keys is read', async () => {
    const lines = '{"origin":"ORD","destination":"LAX","event_time":"2001-01-01T10:00:00Z","delay_min":1.5,"gate":"B2"}\n';
    const ran = await run(['features', 'write', 'flights/routes', '-', '--format', 'ndjson', '--json'], lines);
    expect(ran.stderr).toBe('Left out, since routes has no such feature: gate.\n');
    const { position } = JSON.parse(ran.stdout);
    expect((await run(['features', 'read', 'flights/routes', 'ORD,LAX', '["LAX","ORD"]', '--min-position', position])).stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['origin', 'destination', 'event_time', 'delay_min'],
      ['ORD', 'LAX', '2001-01-01T10:00:00.000Z', '1.5'],
      ['LAX', 'ORD', 'not found'],
      [''],
    ]);
  });

  test('a service is read by its name, whatever groups and transformations it names', async () => {
    for (const args of [
      ['features', 'create', 'flights/planes', '--entities', 'plane:INT64', '--features', 'seats:INT64'],
      ['features', 'create', 'flights/fuel', '--entities', 'plane:INT64', '--features', 'litres:DOUBLE'],
      ['transformations', 'register', 'flights/usage', '--inputs', '[{"name":"l","feature":"fuel:litres","type":"DOUBLE"},{"name":"s","feature":"planes:seats","type":"INT64"}]', '--outputs', '[{"name":"per_seat","expression":"l / s"}]'],
      ['features', 'create-feature-service', 'flights/flying', '--features', 'usage:per_seat,planes:seats'],
    ]) expect(await run(args)).toMatchObject({ code: 0, stderr: '' });
    const write = async (group: string, row: object) => JSON.parse((await run(['features', 'write', `flights/${group}`, '-', '--format', 'ndjson', '--json'], `${JSON.stringify(row)}\n`)).stdout).position as string;
    await write('planes', { plane: 7, event_time: '2001-01-01T00:00:00Z', seats: 100 });
    const position = await write('fuel', { plane: 7, event_time: '2001-01-02T00:00:00Z', litres: 250 });
    const values = { per_seat: { value: 2.5, status: 'PRESENT' }, seats: { value: 100, status: 'PRESENT' } };
    const [vector] = await json('features', 'read', 'flights', '7', '--service', 'flying', '--min-position', position);
    expect(vector).toEqual({ entity: { plane: '7' }, eventTime: '2001-01-02T00:00:00.000Z', values });
    expect((await json('features', 'as-of', 'flights', '7', '--service', 'flying', '--at', '2001-02-01')).vectors[0].values).toEqual(values);
    expect((await run(['features', 'historical', 'flights', '-', '--format', 'csv', '--service', 'flying', '--json'], 'plane,event_time\n7,2001-02-01\n')).stdout).toContain('"per_seat":2.5');

    for (const [args, said] of [
      [['flights/planes', '7', '--service', 'flying'], 'With --service the project stands alone: "flights", not "flights/planes".'],
      [['flights', '7', '--service', 'flying', '--features', 'seats'], 'Name the features: either --features or --service.'],
      [['flights', '7'], '"flights" is not <project/group>.'],
      [['flights/planes', '7', 'N7'], '"N7" is no entity: its key plane is INT64, which "N7" is not.'],
      [['flights/planes', '[null]'], '"[null]" is no entity: its key plane is INT64, which null is not.'],
      [['flights/planes', '[7'], `"[7" is not a JSON array: Expected ',' or ']' after array element in JSON at position 2 (line 1 column 3).`],
    ] as const) expect(await run(['features', 'read', ...args])).toMatchObject({ code: 2, stderr: `${said}\n` });
    expect(await json('features', 'read', 'flights/planes', '[9007199254740993]')).toMatchObject([{ entity: { plane: '9007199254740993' }, values: { seats: { status: 'NOT_FOUND' } } }]);
    expect(await run(['features', 'read', 'flights', '7', '--service', 'sailing'])).toMatchObject({ code: 4 });
  });

  test('a file that does not fit its group is refused before anything is written', async () => {
    await writeFile(join(files, 'bad.csv'), 'origin,event_time,delay_min\nORD,2001-01-02,1\nORD,2001-01-02,late\n');
    const ran = await run(['features', 'write', 'flights/airports', join(files, 'bad.csv')]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('Line 3, column delay_min: "late" is not INT64\nNothing was written.');
    await writeFile(join(files, 'keyless.csv'), 'airport,event_time\nORD,2001-01-02\n');
    expect(await run(['features', 'write', 'flights/airports', join(files, 'keyless.csv')])).toMatchObject({ code: 2, stderr: expect.stringContaining('has no column origin') });
  });

  test('rows that the platform refuses are named by their number in the file', async () => {
    await writeFile(join(files, 'null.csv'), 'origin,event_time,delay_min\nORD,2001-01-02,1\n,2001-01-02,2\n');
    const refused = await run(['features', 'write', 'flights/airports', join(files, 'null.csv')]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/^INVALID_ARGUMENT: .*line 3, entity\.origin/m);
    const partial = await run(['features', 'write', 'flights/airports', join(files, 'null.csv'), '--partial', '--json']);
    expect(partial.code).toBe(3);
    expect(JSON.parse(partial.stdout)).toMatchObject({ rowsWritten: 1, rowsRejected: 1 });
    expect(partial.stderr).toMatch(/Line 3, /);
  });

  test('values of a past moment are read from the log, and again as they were known before a late row', async () => {
    const write = async (text: string) => JSON.parse((await run(['features', 'write', 'flights/routes', '-', '--json'], `origin,destination,event_time,delay_min\n${text}\n`)).stdout).position as string;
    const before = await write('JFK,SFO,2001-03-01T10:00:00Z,1\nJFK,SFO,2001-03-03T10:00:00Z,3');
    await write('JFK,SFO,2001-03-02T10:00:00Z,2');
    const delayAt = async (...more: string[]) => (await json('features', 'as-of', 'flights/routes', 'JFK,SFO', '--at', '2001-03-02T12:00Z', ...more)).vectors[0].values.delay_min;
    expect(await delayAt()).toEqual({ value: 2, status: 'PRESENT' });
    expect(await delayAt('--known-at', before)).toEqual({ value: 1, status: 'PRESENT' });
    expect(await run(['features', 'as-of', 'flights/routes', 'JFK,SFO', '--at', 'yesterday'])).toMatchObject({ code: 2, stderr: '"yesterday" is not a time such as 2026-01-31T12:00:00Z.\n' });
  });

  test('a training set keeps the rows of its file in their order, with the columns that they came with', async () => {
    await writeFile(join(files, 'history.csv'), 'origin,event_time,delay_min,destination\nSEA,2001-04-01T10:00Z,1,"a, b"\nSEA,2001-04-02T10:00Z,2,c\nPDX,2001-04-01T10:00Z,7,d\n');
    const { position } = await json('features', 'write', 'flights/airports', join(files, 'history.csv'));
    await writeFile(join(files, 'labels.csv'), 'label,when,from,to\n"x, y",2001-04-02 09:00,SEA,PDX\nz,2001-04-05,SEA,XXX\nw,2001-03-01,SEA,PDX\n');
    const aliases = ['--alias', 'here=airports:origin=from', '--alias', 'there=airports:origin=to'];
    const ask = ['features', 'historical', 'flights', join(files, 'labels.csv'), '--features', 'here:delay_min,here:destination,there:delay_min', ...aliases, '--event-time', 'when', '--full-names', '--known-at', position];
    const out = join(files, 'training.csv');
    expect(await json(...ask, '--out', out)).toMatchObject({ rows: 3, knownAt: position, out });
    const expected = 'label,when,from,to,here__delay_min,here__destination,there__delay_min\n"x, y",2001-04-02 09:00,SEA,PDX,1,"a, b",7\nz,2001-04-05,SEA,XXX,2,c,\nw,2001-03-01,SEA,PDX,,,\n';
    expect(await readFile(out, 'utf8')).toBe(expected);
    expect((await run(ask)).stdout).toBe(expected);
    expect((await run([...ask, '--json'])).stdout.split('\n').slice(1, 2).map((line) => JSON.parse(line))).toEqual([
      { label: 'z', when: '2001-04-05', from: 'SEA', to: 'XXX', here__delay_min: 2, here__destination: 'c', there__delay_min: null },
    ]);
  });

  test('a file of names without rows gives a training set without rows, and not one of all entities', async () => {
    await writeFile(join(files, 'nobody.csv'), 'origin,event_time,label\n');
    const ask = ['features', 'historical', 'flights', join(files, 'nobody.csv'), '--features', 'airports:delay_min'];
    expect(await run(ask)).toMatchObject({ code: 0, stdout: 'origin,event_time,delay_min\n' });
  });

  test('a training set is written as Parquet and as Arrow, with types', async () => {
    const { position } = await json('features', 'write', 'flights/airports', join(files, 'history.csv'));
    await writeFile(join(files, 'typed.csv'), 'origin,event_time,weight\nSEA,2001-04-02 09:00,1.5\nXXX,2001-04-02 09:00,2\n');
    const ask = ['features', 'historical', 'flights', join(files, 'typed.csv'), '--features', 'airports', '--known-at', position];
    const out = { parquet: join(files, 'typed.parquet'), arrow: join(files, 'typed.arrow') };
    for (const path of Object.values(out)) expect(await run([...ask, '--out', path])).toMatchObject({ code: 0 });
    const table = tableFromIPC(await readFile(out.arrow));
    expect(table.schema.fields.map(({ name, type }) => `${name} ${String(type)}`)).toEqual(['origin Utf8', 'event_time Timestamp<MICROSECOND, UTC>', 'weight Utf8', 'delay_min Int64', 'destination Utf8']);
    expect([...table.getChild('delay_min')!]).toEqual([1n, null]);
    const duck = await (await DuckDBInstance.create()).connect();
    const rows = await duck.runAndReadAll(`select origin, epoch_us(event_time)::varchar, weight, delay_min::varchar, destination from '${out.parquet}'`);
    expect(rows.getRowsJson()).toEqual([['SEA', '986202000000000', '1.5', '1', 'a, b'], ['XXX', '986202000000000', '2', null, null]]);
  });

  test('a training set is saved with the labels of its file, verified, listed and downloaded', async () => {
    await writeFile(join(files, 'to-save.csv'), 'label,origin,event_time\nyes,ORD,2001-01-01T11:00:00Z\nno,XXX,2001-01-01T11:00:00Z\n');
    const saved = await json('training-sets', 'save', 'flights/january', join(files, 'to-save.csv'), '--features', 'airports:delay_min', '--store-rows', '--tags', 'model=m7');
    expect(saved).toMatchObject({ changed: true, rows: 2 });
    expect((await run(['training-sets', 'save', 'flights/january', join(files, 'to-save.csv'), '--features', 'airports:delay_min', '--store-rows'])).stdout).toContain(`Saved already: 2 rows with the hash ${saved.hash}`);
    expect((await run(['training-sets', 'save', 'flights/january', '--features', 'airports'])).stderr).toMatch(/^ALREADY_EXISTS/);
    expect(await json('training-sets', 'verify', 'flights/january')).toMatchObject({ verdict: 'SAME', hash: saved.hash });
    expect((await json('training-sets', 'list', 'flights', '--min-position', saved.position)).trainingSets).toMatchObject([{ trainingSet: 'january', tags: { model: 'm7' }, entityRows: { rows: 2 } }]);
    expect((await run(['features', 'lineage', 'flights/airports:delay_min', '--downstream'])).stdout).toBe('feature airports@1:delay_min\n└─ training set january\n');
    const out = join(files, 'downloaded.csv');
    expect(await json('training-sets', 'download', 'flights/january', '--out', out)).toEqual({ rows: 2, deletedSince: false, out });
    expect(await readFile(out, 'utf8')).toBe('label,origin,event_time,delay_min\nyes,ORD,2001-01-01T11:00:00.000Z,5\nno,XXX,2001-01-01T11:00:00.000Z,\n');
    expect(await run(['training-sets', 'download', 'flights/nothing'])).toMatchObject({ code: 4, stderr: expect.stringMatching(/^NOT_FOUND: Training set nothing/) });
  });

  test('a training set without rows is saved, verified and downloaded with its columns', async () => {
    await writeFile(join(files, 'nobody.csv'), 'origin,event_time,label\n');
    expect(await json('training-sets', 'save', 'flights/nobody', join(files, 'nobody.csv'), '--features', 'airports:delay_min', '--store-rows')).toMatchObject({ rows: 0 });
    expect((await json('training-sets', 'get', 'flights/nobody')).entityRows).toMatchObject({ rows: 0 });
    expect(await json('training-sets', 'verify', 'flights/nobody')).toMatchObject({ verdict: 'SAME', rows: 0 });
    const out = join(files, 'nobody-saved.csv');
    expect(await json('training-sets', 'download', 'flights/nobody', '--out', out)).toMatchObject({ rows: 0 });
    expect(await readFile(out, 'utf8')).toBe('origin,event_time,delay_min\n');
  });

  test('a training set that is refused leaves no file behind', async () => {
    await writeFile(join(files, 'some.csv'), 'origin,event_time\nSEA,2001-04-02\n');
    const out = join(files, 'refused.csv');
    const ran = await run(['features', 'historical', 'flights', join(files, 'some.csv'), '--features', 'airports:nothing', '--out', out]);
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining('nothing') });
    expect((await readdir(files)).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  test('a group that does not exist is not found', async () => {
    await writeFile(join(files, 'a.csv'), 'origin,event_time\nORD,2001-01-02\n');
    expect(await run(['features', 'write', 'flights/none', join(files, 'a.csv')])).toMatchObject({ code: 4, stderr: expect.stringMatching(/^NOT_FOUND: /) });
  });

  test('drift between two months is a table, a shape of each feature, and one line to ask the same again', async () => {
    const rows = [1, 2].flatMap((month) => Array.from({ length: 60 }, (_, n) => `Q${n},2003-0${month}-10 00:00,${(n % 10) + month * 10},${'AB'[n % 2]}`));
    await writeFile(join(files, 'months.csv'), `origin,date,delay,destination\n${rows.join('\n')}\n`);
    await json('features', 'write', 'flights/airports', join(files, 'months.csv'), '--event-time', 'date', '--rename', 'delay_min=delay');
    const ask = ['features', 'drift', 'flights/airports', '--reference', '2003-01', '--current', '2003-02..2003-03'];
    const { code, stdout } = await run(ask);
    expect(code).toBe(0);
    expect(stdout).toMatch(/delay_min +drifted +kolmogorov-smirnov +1 /);
    expect(stdout).toMatch(/destination +stable +z-test +0 +1 /);
    expect(stdout).toMatch(/before │█{10} {10}│ mean 14\.5 ± 2\.897/);
    const again = /--known-at (\S+)$/m.exec(stdout)![1]!;
    await json('features', 'write', 'flights/airports', join(files, 'months.csv'), '--event-time', 'date', '--rename', 'delay_min=delay', '--mode', 'offline');
    expect((await run([...ask, '--known-at', again])).stdout).toBe(stdout);
    expect(await json(...ask, '--features', 'delay_min', '--numbers', 'wasserstein', '--thresholds', 'wasserstein=9')).toMatchObject({ drifted: 0, features: [{ test: 'WASSERSTEIN', verdict: 'STABLE', threshold: 9 }] });
    expect(await run(['features', 'drift', 'flights/airports', '--reference', 'yesterday', '--current', '2003-02'])).toMatchObject({ code: 2, stderr: expect.stringContaining('is not a range') });
  });
});
