import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tableFromIPC } from 'apache-arrow';
import { spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { exitCodes } from '../../src/cli/exit-codes.js';
import { readConfig } from '../../src/platform/config/index.js';
import { dataFolder, tarlUp, type RunningTarl } from '../support/tarl.js';
import { until } from '../support/until.js';
import { runTarl } from './run.js';

/** How large a file is killed on its way in: 1024 for the size that is promised. */
const { largeImportMib } = readConfig(process.env);

let data: Awaited<ReturnType<typeof dataFolder>>;
let platform: RunningTarl;
let files: string;
let env: Record<string, string>;
const run = (...args: string[]) => runTarl(args, { env });
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).stdout);

beforeAll(async () => {
  data = await dataFolder();
  files = await mkdtemp(join(tmpdir(), 'tarl-test-import-'));
  env = { TARL_DATA_DIR: data.path, XDG_STATE_HOME: join(files, 'state') };
  platform = await tarlUp(data.path);
  await run('projects', 'create', 'flights');
});
afterAll(async () => {
  await platform.stop();
  await data.remove();
  await rm(files, { recursive: true });
});

const file = (name: string) => join(files, name);
const newGroup = (name: string) => run('features', 'create', `flights/${name}`, '--entities', 'id:INT64', '--features', 'count:INT64,city:STRING');

/** How many rows of a group stand in the log, and how many different ones, by ids below `most`. */
async function rowsInLog(group: string, most: number): Promise<{ rows: number; distinct: number }> {
  const filter = ['type=FeatureRowsWritten', `stream=features-flights.${group}.*`].flatMap((one) => ['--filter', one]);
  const child = spawnTarl(['replay', ...filter], ['ignore', 'pipe', 'pipe']);
  const told = text(child.stderr!);
  const seen = new Uint8Array(most);
  let [rows, distinct, events] = [0, 0, 0];
  for await (const line of createInterface({ input: child.stdout! })) {
    const { keys, key } = JSON.parse(line).data as { keys: string[]; key?: number[] };
    for (const at of key ?? keys.keys()) {
      const id = Number(JSON.parse(keys[at]!)[0]) % most;
      rows++;
      distinct += 1 - seen[id]!;
      seen[id] = 1;
    }
    events++;
  }
  expect((await told).replaceAll(',', '')).toContain(`${events} events\n`);
  return { rows, distinct };
}

const spawnTarl = (args: string[], stdio: StdioOptions, more: NodeJS.ProcessEnv = {}) =>
  spawn(resolve('node_modules/node/bin/node'), [resolve('dist/src/cli/main.js'), ...args], { env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env, ...more }, stdio });

/** Starts an import and kills it when it has noted that it came beyond a row. */
async function killedImport(args: string[], row: number, config: string): Promise<number> {
  const child = spawnTarl(args, 'ignore', { XDG_CONFIG_HOME: config });
  let hasEnded = false;
  const exited = once(child, 'exit').finally(() => (hasEnded = true));
  const noted = async () => {
    const [record] = await readdir(join(files, 'state/tarl/imports')).catch(() => [] as string[]);
    if (record === undefined) return 0;
    const told = await readFile(join(files, 'state/tarl/imports', record), 'utf8').catch(() => '');
    return /"rows":(\d+)/.test(told) ? Number(/"rows":(\d+)/.exec(told)![1]) : 0;
  };
  await until('the import has come further', async () => hasEnded || (await noted()) > row, 1_800_000);
  child.kill('SIGKILL');
  const [code, signal] = await exited;
  // On a machine that stood still for so long that an append was given up, whoever imports begins again.
  if (code === exitCodes.unavailable) return killedImport(args, row, config);
  expect([code, signal]).toEqual([null, 'SIGKILL']);
  return noted();
}

/** A profile by which imports come over a narrow way: they get on no faster than this process can look after them. */
async function narrowProfile(): Promise<{ config: string; close(): void }> {
  const way = createServer((from) => {
    const to = connect(Number(platform.addresses.grpc.split(':')[1]), '127.0.0.1');
    pipeline(from, inSmallPieces, to).catch(() => from.destroy());
    pipeline(to, from).catch(() => to.destroy());
  }).listen(0, '127.0.0.1');
  await once(way, 'listening');
  await mkdir(join(files, 'narrow/tarl'), { recursive: true });
  await writeFile(join(files, 'narrow/tarl/config.json'), JSON.stringify({ default: { grpc: `127.0.0.1:${(way.address() as AddressInfo).port}` } }));
  return { config: join(files, 'narrow'), close: () => void way.close() };
}

async function* inSmallPieces(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of bytes) {
    for (let at = 0; at < piece.length; at += 8192) {
      yield piece.subarray(at, at + 8192);
      await pause(10);
    }
  }
}

test('an import that is killed twice and begun again loses and doubles nothing', async () => {
  await newGroup('killed');
  const line = (row: number) => `${row},2026-01-01T00:00:00Z,${row % 100},"Köln, ${'x'.repeat(largeImportMib > 0 ? 200 : 5)}"\n`;
  const rows = largeImportMib > 0 ? Math.ceil((largeImportMib * 1024 * 1024) / 250) : 30_000;
  const out = createWriteStream(file('large.csv'));
  out.write('id,event_time,n,city\n');
  for (let row = 0; row < rows; row += 1000) {
    const lines = Array.from({ length: Math.min(1000, rows - row) }, (_, at) => line(row + at)).join('');
    if (!out.write(lines)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
  const args = ['features', 'import', 'flights/killed', file('large.csv'), '--map', 'n=count', ...(largeImportMib > 0 ? [] : ['--batch-rows', '250'])];
  const narrow = await narrowProfile();
  const config = largeImportMib > 0 ? '/nonexistent' : narrow.config;
  await killedImport(args, Math.floor(rows / 4), config);
  const second = await killedImport(args, Math.floor(rows / 2), config);
  narrow.close();
  const ran = await run(...args, '--json');
  expect(ran.stderr).toContain('Going on after');
  expect(JSON.parse(ran.stdout)).toMatchObject({ rowsWritten: rows, rowsRejected: 0, resumedAt: second });
  expect(await rowsInLog('killed', rows)).toEqual({ rows, distinct: rows });
  expect(await readdir(join(files, 'state/tarl/imports'))).toEqual([]);
  // Sent once more as a whole, everything is recognised.
  if (largeImportMib > 0) return;
  expect(await json(...args, '--restart')).toMatchObject({ rowsWritten: rows, resumedAt: 0 });
  expect(await rowsInLog('killed', rows)).toEqual({ rows, distinct: rows });
}, 3_600_000);

describe('bad rows of an import', () => {
  const badRows = 'id,event_time,count,city\n1,2026-01-01,5,"a\nb"\n2,2026-01-01,many,c\n,2026-01-01,5,d\n4,soon,5,e\n';

  test('are named by their line, and the others stored, where that is asked for', async () => {
    await newGroup('partial');
    await writeFile(file('bad.csv'), badRows);
    expect(await run('features', 'import', 'flights/partial', file('bad.csv'))).toMatchObject({ code: 2, stderr: expect.stringMatching(/Line 4, column count: "many" is not INT64|Line 6/) });
    const partial = await run('features', 'import', 'flights/partial', file('bad.csv'), '--partial', '--json');
    expect(partial.code).toBe(3);
    expect(JSON.parse(partial.stdout)).toMatchObject({ rowsWritten: 1, rowsRejected: 3, rowsQuarantined: 0 });
    expect(JSON.parse(partial.stderr).error.message).toMatch(/Line 4, values.count.*\n.*Line 5, entity.id.*\n.*Line 6, eventTime/);
  });

  test('wait in the quarantine, are mended in a file and sent again', async () => {
    await newGroup('mended');
    await writeFile(file('bad.csv'), badRows);
    const imported = await run('features', 'import', 'flights/mended', file('bad.csv'), '--quarantine', '--json');
    expect(imported.code).toBe(0);
    expect(JSON.parse(imported.stdout)).toMatchObject({ rowsWritten: 1, rowsRejected: 3, rowsQuarantined: 3 });
    expect((await run('quarantine', 'list', 'flights', '--filter', 'group = mended')).stdout).toMatch(/Line 4.*many|many.*Line 4/s);
    expect(await json('quarantine', 'export', 'flights', file('refused.ndjson'), '--filter', 'group = mended')).toMatchObject({ rows: 3 });
    const lines = (await readFile(file('refused.ndjson'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
    const mended = lines.map((line) => (line.source === 'Line 4' ? { ...line, values: { ...line.values, count: 7 } } : line.source === 'Line 6' ? { ...line, eventTime: '2026-01-02' } : line));
    await writeFile(file('refused.ndjson'), mended.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const resent = await run('quarantine', 'resend', 'flights', file('refused.ndjson'), '--json');
    expect(resent.code).toBe(3);
    expect(JSON.parse(resent.stdout)).toMatchObject({ written: 2, refused: 1, faults: [expect.stringMatching(/entity\.id/)] });
    const [left] = (await json('quarantine', 'list', 'flights', '--filter', 'group = mended')).quarantinedRows;
    expect(await run('quarantine', 'mend', `flights/${left.id}`, '--entity', 'id=9007199254740993')).toMatchObject({ code: 0 });
    expect((await json('quarantine', 'list', 'flights', '--filter', 'group = mended')).quarantinedRows).toEqual([]);
    expect(await rowsInLog('mended', 1000)).toEqual({ rows: 4, distinct: 4 });
  });

  test('are discarded with a reason', async () => {
    await newGroup('discarded');
    await writeFile(file('bad.csv'), badRows);
    await run('features', 'import', 'flights/discarded', file('bad.csv'), '--quarantine');
    const ids = (await json('quarantine', 'list', 'flights', '--filter', 'group = discarded')).quarantinedRows.map(({ id }: { id: string }) => id);
    expect(await json('quarantine', 'discard', 'flights', ...ids, '--reason', 'test rows')).toMatchObject({ discarded: 3 });
    expect((await json('quarantine', 'list', 'flights', '--filter', 'group = discarded')).quarantinedRows).toEqual([]);
  });
});

test('times that are numbers are asked for their unit, in files of rows and of labels', async () => {
  await newGroup('epoch');
  await writeFile(file('epoch.ndjson'), '{"id":1,"event_time":1700000000,"count":7}\n');
  await writeFile(file('labels.csv'), 'id,event_time\n1,1700000001\n');
  const imported = ['features', 'import', 'flights/epoch', file('epoch.ndjson')];
  const joined = ['features', 'historical', 'flights', file('labels.csv'), '--features', 'epoch:count'];
  const saved = ['training-sets', 'save', 'flights/epoch', file('labels.csv'), '--features', 'epoch:count'];
  for (const args of [imported, [...imported, '--partial'], ['features', 'write', ...imported.slice(2)], joined, saved]) {
    expect(await run(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(/in seconds that is 2023-11-14T22:13:2.*Say --time-unit seconds/) });
  }
  expect(await run(...imported, '--time-unit', 'minutes')).toMatchObject({ code: 2 });
  await json(...imported, '--time-unit', 'event_time=seconds');
  expect((await run(...joined, '--time-unit', 'seconds')).stdout).toBe('id,event_time,count\n1,2023-11-14T22:13:21.000Z,7\n');
  expect(await json(...saved, '--time-unit', 'seconds')).toMatchObject({ rows: 1 });
});

test('the latest values and the history are exported as files that others read', async () => {
  await newGroup('exported');
  await writeFile(file('rows.ndjson'), '{"id":"9007199254740993","event_time":"2026-01-01","count":1,"city":"ü"}\n{"id":2,"event_time":"2026-01-02","count":null,"city":""}\n{"id":2,"event_time":"2026-01-03","count":3,"city":""}\n');
  const { position } = await json('features', 'import', 'flights/exported', file('rows.ndjson'));
  const exported = async (name: string, ...more: string[]) => {
    expect(await run('features', 'export', 'flights/exported', file(name), ...more, '--min-position', position)).toMatchObject({ code: 0, stderr: '' });
    return file(name);
  };
  const duck = await (await DuckDBInstance.create()).connect();
  const rowsOf = async (path: string) => (await duck.runAndReadAll(`select id::varchar, count::varchar, city from '${path}' order by event_time`)).getRowsJson();
  expect(await rowsOf(await exported('latest.parquet'))).toEqual([['9007199254740993', '1', 'ü'], ['2', '3', '']]);
  expect(await rowsOf(await exported('history.parquet', '--start', '2026-01-01', '--end', '2026-01-02T12:00Z'))).toEqual([['9007199254740993', '1', 'ü'], ['2', null, '']]);
  expect(tableFromIPC(await readFile(await exported('latest.arrow'))).numRows).toBe(2);
  expect((await readFile(await exported('latest.csv', '--features', 'count'), 'utf8')).split('\r\n')[0]).toBe('id,event_time,count');
  expect(await run('features', 'export', 'flights/exported', file('none.parquet'), '--features', 'nothing')).toMatchObject({ code: 3, stderr: expect.stringContaining('nothing') });
  await expect(stat(file('none.parquet'))).rejects.toThrow('ENOENT');
});
