import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

  test('a file that does not fit its group is refused before anything is written', async () => {
    await writeFile(join(files, 'bad.csv'), 'origin,event_time,delay_min\nORD,2001-01-02,1\nORD,2001-01-02,late\n');
    const ran = await run(['features', 'write', 'flights/airports', join(files, 'bad.csv')]);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('Row 2, column delay_min: "late" is not INT64\nNothing was written.');
    await writeFile(join(files, 'keyless.csv'), 'airport,event_time\nORD,2001-01-02\n');
    expect(await run(['features', 'write', 'flights/airports', join(files, 'keyless.csv')])).toMatchObject({ code: 2, stderr: expect.stringContaining('has no column origin') });
  });

  test('rows that the platform refuses are named by their number in the file', async () => {
    await writeFile(join(files, 'null.csv'), 'origin,event_time,delay_min\nORD,2001-01-02,1\n,2001-01-02,2\n');
    const refused = await run(['features', 'write', 'flights/airports', join(files, 'null.csv')]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/^INVALID_ARGUMENT: .*row 2, entity\.origin/m);
    const partial = await run(['features', 'write', 'flights/airports', join(files, 'null.csv'), '--partial', '--json']);
    expect(partial.code).toBe(3);
    expect(JSON.parse(partial.stdout)).toMatchObject({ rowsWritten: 1, rowsRejected: 1 });
    expect(partial.stderr).toMatch(/Row 2, /);
  });

  test('a group that does not exist is not found', async () => {
    await writeFile(join(files, 'a.csv'), 'origin,event_time\nORD,2001-01-02\n');
    expect(await run(['features', 'write', 'flights/none', join(files, 'a.csv')])).toMatchObject({ code: 4, stderr: expect.stringMatching(/^NOT_FOUND: /) });
  });
});
