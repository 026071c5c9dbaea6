import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runTarl } from './run.js';
import { fakeApi } from './fake-api.js';

describe('a command derived from a definition', () => {
  let api: Awaited<ReturnType<typeof fakeApi>>;
  beforeAll(async () => void (api = await fakeApi()));
  beforeEach(() => void (api.received.length = 0));
  afterAll(() => api.close());
  const run = (...args: string[]) => runTarl(args, { env: api.env });

  test('sends what the definition asks for, where its route wants it', async () => {
    api.answers({ commandId: 'c', position: '7', etag: '0', changed: true });
    const ran = await run('projects', 'archive', 'flights', '--reason', 'all done', '--idempotency-key', 'once', '--if-match', '3');
    expect(ran).toEqual({ code: 0, stdout: 'Done at position 7, etag 0.\n', stderr: '' });
    expect(api.received).toEqual([
      expect.objectContaining({ method: 'POST', url: '/api/v1/projects/flights:archive', body: { reason: 'all done' } }),
    ]);
    expect(api.received[0]!.headers).toMatchObject({ authorization: 'Bearer key-of-profile', 'idempotency-key': 'once', 'if-match': '"3"' });
  });

  test('takes the texts of a map as they are, and numbers as numbers', async () => {
    api.answers({ commandId: 'c', position: '7', etag: '0', changed: true });
    await run('features', 'delete-feature-entity', 'flights/airports', '--entity', 'airport=ORD,gate=5,tail="5"');
    expect(api.received[0]).toMatchObject({ url: '/api/v1/projects/flights/feature-groups/airports:deleteEntity', body: { entity: { airport: 'ORD', gate: 5, tail: '5' } } });
  });

  test('takes the key of the environment before that of the profile', async () => {
    api.answers({ projects: [], nextPageToken: '' });
    await runTarl(['projects', 'list'], { env: { ...api.env, TARL_API_KEY: 'key-of-environment' } });
    expect(api.received[0]!.headers.authorization).toBe('Bearer key-of-environment');
  });

  test('shows a list as an aligned table, and as JSON when asked', async () => {
    const projects = [
      { project: 'flights', description: 'of the US', archived: false },
      { project: 'a', description: '', archived: true },
    ];
    api.answers({ projects, nextPageToken: 'more' });
    const { stdout } = await run('projects', 'list', '--page-size', '2', '--min-position', '12');
    expect(stdout.split('\n')).toEqual(['project  description  archived', 'flights  of the US    false', 'a                     true', '', 'There are more: --page-token more', '']);
    expect(api.received[0]).toMatchObject({ method: 'GET', url: '/api/v1/projects?pageSize=2' });
    expect(api.received[0]!.headers['tarl-min-position']).toBe('12');
    expect(JSON.parse((await run('projects', 'list', '--json')).stdout)).toEqual({ projects, nextPageToken: 'more' });
  });

  test('says on standard error as of when it answers, and where keys stand still', async () => {
    api.answers({ projects: [], nextPageToken: '' }, 200, { 'tarl-as-of': '12', 'tarl-parked-keys': 'projects=2' });
    const { stdout, stderr } = await run('projects', 'list', '--json');
    expect(JSON.parse(stdout)).toEqual({ projects: [], nextPageToken: '' });
    expect(stderr).toBe('As of position 12.\nKeys stand still (projects=2), so this may be older than it seems: see `tarl projections parked`.\n');
  });

  test('takes * as an etag for what only has to exist', async () => {
    api.answers({ commandId: 'c', position: '7', etag: '0', changed: true });
    await run('projects', 'archive', 'flights', '--reason', 'all done', '--if-match', '*');
    expect(api.received[0]!.headers['if-match']).toBe('*');
  });

  test('writes a range of times in short, because times hold colons', async () => {
    api.answers({ commandId: 'c', position: '7', etag: '0', changed: true });
    const ran = await run('monitoring', 'run', 'flights/airports/february', '--current', '2001-02-01T00:00:00Z..2001-03-01T00:00:00Z', '--tests', '{"pValue":0.01}');
    expect(ran.stderr).toBe('');
    expect(api.received[0]).toMatchObject({
      url: '/api/v1/projects/flights/feature-groups/airports/drift-checks',
      body: { check: 'february', current: { start: '2001-02-01T00:00:00Z', end: '2001-03-01T00:00:00Z' }, tests: { pValue: 0.01 } },
    });
    expect((await run('monitoring', 'run', '--help')).stdout).toContain('$ tarl monitoring run my_project/my_group/my_check --current 2026-01-31T12:00:00Z..2026-02-28T12:00:00Z');
    expect(await run('monitoring', 'run', 'a/b/c', '--current', '2001-02-01T00:00:00Z')).toMatchObject({ code: 2, stderr: expect.stringContaining('is not start..end, and not a JSON object') });
  });

  test.each([
    ['transformations register', { inputs: [{ name: 'amount', feature: 'cards:amount', type: 'DOUBLE' }], outputs: [{ name: 'twice', expression: 'amount * 2' }] }],
    ['pipelines create', { source: 'cards', target: 'spending', steps: [{ feature: 'twice', from: 'usage:twice' }] }],
    ['features delete-feature-entity', { entity: { card: 'c-7' } }],
    ['monitoring set-feature-monitor', { cron: '0 3 * * *', windowSeconds: 86_400 }],
  ])('shows with %s an example that can be run as it stands', async (words, body) => {
    api.answers({ commandId: 'c', position: '7', etag: '0', changed: true });
    const example = /\$ tarl (.*)/.exec((await run(...words.split(' '), '--help')).stdout)![1]!;
    const ran = await run(...[...example.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!));
    expect(ran.stderr).toBe('');
    expect(api.received[0]!.body).toMatchObject(body);
  });

  test('writes lists of objects in short', async () => {
    api.answers({ commandId: 'c', position: '7', etag: '0', changed: true });
    const ran = await run('features', 'create', 'flights/airports', '--entities', 'origin:STRING', '--features', 'delay:INT64,{"name":"to","type":"STRING","constraints":{"maxLength":3}}', '--tags', 'team=ops,tier=1');
    expect(ran.stderr).toBe('');
    expect(api.received[0]).toMatchObject({
      url: '/api/v1/projects/flights/feature-groups',
      body: {
        group: 'airports',
        entities: [{ name: 'origin', type: 'STRING' }],
        features: [{ name: 'delay', type: 'INT64' }, { name: 'to', type: 'STRING', constraints: { maxLength: 3 } }],
        tags: { team: 'ops', tier: '1' },
      },
    });
  });

  test('says a refusal in one sentence with its code and fields, and ends with the code for it', async () => {
    api.answers({ code: 'NOT_FOUND', detail: 'Project x does not exist', status: 404 }, 404);
    expect(await run('projects', 'get', 'x')).toEqual({ code: 4, stdout: '', stderr: 'NOT_FOUND: Project x does not exist\n' });
    api.answers({ code: 'INVALID_ARGUMENT', detail: 'That is wrong', fields: [{ field: 'pageToken', description: 'takes another' }] }, 400);
    expect(await run('projects', 'list')).toEqual({ code: 3, stdout: '', stderr: 'INVALID_ARGUMENT: That is wrong\n  pageToken: takes another\n' });
  });

  test('says that nobody answers, and ends with 5', async () => {
    const ran = await run('projects', 'list', '--profile', 'gone');
    expect(ran.code).toBe(5);
    expect(ran.stderr).toMatch(/^The platform cannot be reached at http:\/\/127\.0\.0\.1:9 \(.*\n$/);
  });

  test('ends quietly when whoever reads it has seen enough', async () => {
    const projects = Array.from({ length: 20_000 }, (_, at) => ({ project: `project_${at}`, description: 'long enough to fill more than a pipe holds' }));
    api.answers({ projects, nextPageToken: '' });
    const pipe = 'node_modules/node/bin/node dist/src/cli/main.js projects list | head -n 2; echo "${PIPESTATUS[0]}"';
    const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', pipe], { env: { PATH: process.env.PATH, ...api.env } });
    expect({ lines: stdout.split('\n').length, code: stdout.split('\n')[2], stderr }).toEqual({ lines: 4, code: '0', stderr: '' });
  });

  test('says in one sentence that no platform is up when there is not even a key', async () => {
    const ran = await runTarl(['status'], { env: { TARL_DATA_DIR: '/nonexistent' } });
    expect(ran).toMatchObject({ code: 5, stdout: '', stderr: expect.stringMatching(/^No platform runs on \/nonexistent.*\n$/) });
  });

  test('refuses a wrong command line with 2, by name', async () => {
    expect(await run('projects', 'list', '--page-size', 'many')).toMatchObject({ code: 2, stderr: expect.stringContaining('"many" is not a whole number.') });
    expect(await run('projects', 'get', 'a/b')).toMatchObject({ code: 2, stderr: '"a/b" is not <project>.\n' });
    expect(await run('projects', 'get', 'a', '--profile', 'no')).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no profile no') });
    expect(api.received).toEqual([]);
  });
});
