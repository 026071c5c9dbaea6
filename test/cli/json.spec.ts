import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailure } from '../../src/cli/exit-codes.js';
import { refused } from '../../src/cli/failures.js';
import { report } from '../../src/cli/report.js';
import { fakeApi } from './fake-api.js';
import { runTarl, type Ran } from './run.js';

let api: Awaited<ReturnType<typeof fakeApi>>;
let folder: string;
beforeAll(async () => {
  [api, folder] = await Promise.all([fakeApi(), mkdtemp(join(tmpdir(), 'tarl-test-json-'))]);
});
afterAll(() => Promise.all([api.close(), rm(folder, { recursive: true })]));

/** What a command with --json says of its failure, on the last line of standard error. */
const errorOf = ({ stderr }: Ran) => (JSON.parse(stderr.trim().split('\n').at(-1)!) as { error: Record<string, unknown> }).error;

test('status of a platform that does not run is JSON that says so, with exit code 5', async () => {
  const nowhere = await runTarl(['status', '--json'], { env: { TARL_DATA_DIR: folder } });
  expect(nowhere.code).toBe(5);
  expect(JSON.parse(nowhere.stdout)).toEqual({ ready: false, reason: expect.stringContaining(`No platform runs on ${folder}`) });
  expect(errorOf(nowhere)).toMatchObject({ code: 'UNAVAILABLE', exitCode: 5 });
});

test('status of a platform that is gone says where it was looked for', async () => {
  const gone = await runTarl(['--profile', 'gone', 'status', '--json'], { env: api.env });
  expect(gone.code).toBe(5);
  expect(JSON.parse(gone.stdout)).toEqual({ ready: false, reason: expect.stringContaining('cannot be reached'), addresses: expect.objectContaining({ rest: 'http://127.0.0.1:9' }) });
});

test('status of a platform that is not ready has the same shape, and people read the same', async () => {
  api.answers({ ready: false, checks: { views: { ready: false, reason: 'feature-online is 3 minutes behind' } } }, 503);
  const [asJson, asText] = await Promise.all([runTarl(['status', '--json'], { env: api.env }), runTarl(['status'], { env: api.env })]);
  expect(JSON.parse(asJson.stdout)).toEqual({ ready: false, reason: 'The platform is up but not ready: feature-online is 3 minutes behind.', addresses: expect.any(Object) });
  expect(asText).toMatchObject({ code: 5, stderr: 'The platform is up but not ready: feature-online is 3 minutes behind.\n', stdout: expect.stringMatching(/^rest +http:/) });
});

test('what the platform refuses is told whole: code, reason, fields and trace id', async () => {
  const refusal = { code: 'INVALID_ARGUMENT', reason: 'INVALID_INPUT', fields: [{ field: 'project', description: 'takes a name' }], metadata: { most: '3' }, traceId: 'abc' };
  api.answers({ ...refusal, detail: 'project takes a name', status: 400 }, 400);
  const refused = await runTarl(['projects', 'create', 'x', '--description', '', '--json'], { env: api.env });
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(errorOf(refused)).toEqual({ ...refusal, message: 'project takes a name', exitCode: 3 });
  const replayed = await runTarl(['replay', '--json'], { env: api.env });
  expect(errorOf(replayed)).toEqual({ ...refusal, message: 'project takes a name', exitCode: 3 });
});

test.each([
  ['a word that is no command', ['projets', '--json'], { code: 'USAGE', message: expect.stringContaining("unknown command 'projets'"), exitCode: 2 }],
  ['an option that there is not', ['--json', 'projects', 'get', 'x', '--nme', 'y'], { code: 'USAGE', message: expect.stringContaining("unknown option '--nme'"), exitCode: 2 }],
  ['an argument that is missing', ['projects', 'get', '--json'], { code: 'USAGE', message: "missing required argument 'project'", exitCode: 2 }],
  ['a group without a command', ['features', '--json'], { code: 'USAGE', message: 'Name one of the commands of this group.', exitCode: 2 }],
  ['a profile that there is not', ['projects', 'list', '--json', '--profile', 'far'], { code: 'USAGE', message: expect.stringContaining('There is no profile far'), exitCode: 2 }],
  ['a wrong setting', ['up', '--json', '--roles', 'cook'], { code: 'FAILURE', message: expect.stringContaining('TARL_ROLES cannot be "cook"'), exitCode: 1 }],
  ['a platform that is not there', ['projections', '--json', '--profile', 'gone'], { code: 'UNAVAILABLE', message: expect.stringContaining('cannot be reached'), exitCode: 5 }],
  ['a platform that is not there, over gRPC', ['features', 'read', 'a/b', 'c', '--json', '--profile', 'gone'], { code: 'UNAVAILABLE', message: expect.stringContaining('cannot be reached'), exitCode: 5 }],
  ['a file that there is not', ['features', 'write', 'a/b', '/nowhere.csv', '--json'], { code: 'USAGE', message: 'There is no file /nowhere.csv', exitCode: 2 }],
])('%s is one JSON object on standard error', async (_what, args, error) => {
  const ran = await runTarl(args, { env: api.env });
  expect(ran).toMatchObject({ code: error.exitCode, stdout: '' });
  expect(errorOf(ran)).toEqual(error);
  expect(ran.stderr.trim().split('\n')).toHaveLength(1);
});

test('--json behind -- is no option', async () => {
  const ran = await runTarl(['projects', 'get', '--', '--json', 'more'], { env: api.env });
  expect(ran.code).toBe(2);
  expect(() => errorOf(ran)).toThrow();
});

test('what was done before the platform refused is told with its code', () => {
  const told: string[] = [];
  const said = jest.spyOn(console, 'error').mockImplementation((line: unknown) => void told.push(String(line)));
  const cause = refused({ code: 'NOT_FOUND', message: 'There is no group a', reason: 'NO_SUCH_GROUP' });
  expect(report(new CommandFailure('There is no group a\n5 rows were written before and stay.', cause.exitCode, { cause }), true)).toBe(4);
  said.mockRestore();
  expect(told.map((line) => JSON.parse(line) as unknown)).toEqual([{ error: { code: 'NOT_FOUND', message: 'There is no group a\n5 rows were written before and stay.', reason: 'NO_SUCH_GROUP', exitCode: 4 } }]);
});
