import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewOperation, Operation, RebuildProgress, ViewComparison } from '../../src/api/core.js';
import { Refusal } from '../../src/domain/kit/index.js';
import { testApi, type TestApi } from '../api/support/clients.js';
import { ownerKey, readerKey } from '../api/support/memory-core.js';
import { runTarl } from './run.js';

const step = (phase: RebuildProgress['phase'], events: number): RebuildProgress => ({ events, done: 0.5, eventsPerSecond: 10, secondsLeft: 1, phase });
let served: TestApi;
let home: string;
/** The operation as it is each time somebody looks. */
let seen: Operation[];
const operation = (more: Partial<Operation>, progress?: RebuildProgress): Operation => ({
  name: 'operations/6b6f5a52-2c38-4d3e-9d1c-6a2f0e6f0b11', done: false, ...more,
  metadata: { kind: 'rebuild', view: 'projects', actor: 'key:owner-key', state: 'running', startedAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z', ...(progress && { progress }) },
});
let start: (view: string) => Promise<Operation>;
let underWay: Operation[];
beforeAll(async () => {
  served = await testApi();
  Object.assign(served.core.projections, {
    begin: ({ view }: NewOperation) => start(view),
    operations: async () => underWay,
    operation: async () => seen.shift(),
  });
  home = await mkdtemp(join(tmpdir(), 'tarl-test-cli-'));
  await mkdir(join(home, 'tarl'));
  const { rest } = served.api.addresses;
  await writeFile(join(home, 'tarl/config.json'), JSON.stringify({ default: { rest, key: ownerKey }, reader: { rest, key: readerKey } }));
});
beforeEach(() => {
  underWay = [];
  start = async () => operation({});
  seen = [operation({}, step('reading', 5)), operation({ done: true }, step('switching', 1234))];
});
afterAll(async () => {
  await served.close();
  await rm(home, { recursive: true });
});
const tarl = (...args: string[]) => runTarl(args, { env: { XDG_CONFIG_HOME: home, TARL_DATA_DIR: join(home, 'no-data') } });

test('tarl projections shows name, version, state, position, lag and rate of every view', async () => {
  const { code, stdout } = await tarl('projections');
  expect({ code, header: stdout.split('\n')[0]!.split(/\s+/) }).toEqual({ code: 0, header: ['view', 'version', 'state', 'position', 'lag', 'age', 'events/s', 'by'] });
  expect(stdout).toMatch(/^projects +1 +live .* here:1$/m);
  expect(JSON.parse((await tarl('projections', '--json')).stdout).projections[0]).toMatchObject({ name: 'projects', lagPositions: expect.any(String) });
});

test('tarl projections rebuild follows the phases and says from how many events it was made', async () => {
  const { code, stdout, stderr } = await tarl('projections', 'rebuild', 'projects');
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^projects is rebuilt from 1,234 events in \d+\.\d s\.\n$/),
    stderr: 'Rebuilding projects: reading, 5 events so far\nRebuilding projects: switching, 1,234 events so far\n',
  });
});

test('tarl projections rebuild watches a rebuild that is under way already', async () => {
  start = async () => Promise.reject(new Refusal('FAILED_PRECONDITION', 'It is being rebuilt already'));
  underWay = [operation({}, step('indexing', 7))];
  expect(await tarl('projections', 'rebuild', 'projects')).toMatchObject({ code: 0, stderr: expect.stringContaining('indexing, 7 events so far') });
});

test('a rebuild that is refused at once, or fails on its way, ends the command with its sentence', async () => {
  start = async () => Promise.reject(new Refusal('NOT_FOUND', 'There is no view nope'));
  expect(await tarl('projections', 'rebuild', 'nope')).toMatchObject({ code: 4, stderr: 'NOT_FOUND: There is no view nope\n' });
  start = async () => operation({});
  seen = [operation({ done: true, error: { code: 'FAILED_PRECONDITION', message: 'It broke' } }, step('reading', 5))];
  expect(await tarl('projections', 'rebuild', 'projects')).toMatchObject({ code: 3, stderr: expect.stringContaining('FAILED_PRECONDITION: It broke') });
});

test('a key without the permission may not rebuild', async () => {
  expect(await tarl('projections', 'rebuild', 'projects', '--profile', 'reader')).toMatchObject({ code: 3, stderr: expect.stringContaining('PERMISSION_DENIED') });
});

test('tarl projections slices splits a view, and says where its slices stand', async () => {
  const asked: unknown[] = [];
  served.core.projections.split = async (...input) => void asked.push(input);
  expect(await tarl('projections', 'slices', 'projects', '4')).toMatchObject({ code: 0, stdout: 'projects has 1 slice, from position 0.\n' });
  expect(asked).toEqual([['projects', 4]]);
  expect(await tarl('projections', 'slices', 'projects', 'many')).toMatchObject({ code: 2, stderr: expect.stringContaining('"many" is not a whole number') });
});

test('tarl projections parked shows what waits and why, and retry and skip say what became of it', async () => {
  expect(await tarl('projections', 'parked')).toMatchObject({ code: 0, stdout: 'Nothing is parked.\n' });
  const event = { id: '6b6f5a52-2c38-4d3e-9d1c-6a2f0e6f0b11', type: 'ProjectDescribed', stream: 'project-fraud', revision: '1', position: '200' };
  const parked = { view: 'projects', key: 'fraud', event, error: 'cannot be shown', attempts: 5, waiting: 2, parkedAt: new Date(Date.now() - 180_000).toISOString() };
  Object.assign(served.core.projections, { parked: async () => [parked], retryParked: async () => ({ taken: 1200, left: 1 }) });
  const [header, row] = (await tarl('projections', 'parked', 'projects')).stdout.split('\n');
  expect(header!.split(/\s{2,}/)).toEqual(['view', 'key', 'event', 'error', 'attempts', 'behind', 'age']);
  expect(row!.split(/\s{2,}/)).toEqual(['projects', 'fraud', 'ProjectDescribed project-fraud@1', 'cannot be shown', '5', '2', '3 min']);
  expect(await tarl('projections', 'retry', 'projects')).toMatchObject({ code: 0, stdout: '1,200 events wait no longer, 1 still do.\n' });
  expect(await tarl('projections', 'skip', 'projects', 'fraud')).toMatchObject({ code: 2 });
  expect(await tarl('projections', 'skip', 'projects', 'fraud', '--reason', 'a test')).toMatchObject({ code: 0, stdout: '1,200 events wait no longer, 1 still do.\n' });
});

const compared = (same: boolean): ViewComparison => ({
  view: 'projects', position: '7', same,
  tables: same ? [] : [{ table: 'projects', added: 0, removed: 1, changed: 2, columns: { description: 2 } }],
  rows: same ? [] : [{ table: 'projects', kind: 'changed', key: { project: 'fraud' }, columns: [{ name: 'description', live: 'Card', replayed: 'Card fraud' }], event: { id: 'e', type: 'ProjectDescribed', stream: 'project-fraud', revision: '1', position: '200' } }],
});
const withComparison = (same: boolean, more: Partial<Operation> = {}): Operation => {
  const { metadata, ...rest } = operation({ done: true, ...more });
  return { ...rest, metadata: { ...metadata, kind: 'comparison', comparison: compared(same) } };
};
const words = (stdout: string) => stdout.trim().split('\n').map((line) => line.split(/\s{2,}/));

test('tarl projections compare says that nothing differs, or in which rows and since which event, with an exit code for scripts', async () => {
  seen = [withComparison(true)];
  expect(await tarl('projections', 'compare', 'projects')).toMatchObject({ code: 0, stdout: 'projects is what the log gives, at position 7.\n' });
  seen = [withComparison(false)];
  const { code, stdout } = await tarl('projections', 'compare', 'projects');
  expect({ code, lines: words(stdout) }).toEqual({
    code: 1,
    lines: [
      ['table', 'added', 'removed', 'changed', 'columns'], ['projects', '0', '1', '2', 'description: 2'], [''],
      ['row', 'kind', 'column', 'live', 'replayed', 'first event'], ['fraud', 'changed', 'description', 'Card', 'Card fraud', 'ProjectDescribed project-fraud@1 at 200'],
    ],
  });
});

test('tarl projections rebuild hands on what is to become of a difference, and shows the rows when it stops there', async () => {
  const begun: NewOperation[] = [];
  Object.assign(served.core.projections, { begin: async (work: NewOperation) => (begun.push(work), operation({})) });
  seen = [withComparison(false, { error: { code: 'FAILED_PRECONDITION', message: 'The rows of projects differ' } })];
  expect(await tarl('projections', 'rebuild', 'projects', '--on-difference', 'stop')).toMatchObject({ code: 3, stdout: expect.stringContaining('ProjectDescribed project-fraud@1'), stderr: expect.stringContaining('The rows of projects differ') });
  expect(begun).toEqual([{ kind: 'rebuild', view: 'projects', actor: 'key:owner-key', onDifference: 'STOP' }]);
  expect(await tarl('projections', 'rebuild', 'projects', '--on-difference', 'perhaps')).toMatchObject({ code: 2 });
});

test('tarl projections rollback follows the rollback and says what answers again', async () => {
  seen = [operation({ done: true }, step('switching', 3))];
  expect(await tarl('projections', 'rollback', 'projects')).toMatchObject({ code: 0, stdout: 'projects answers from its former rows again, with 3 later events.\n' });
});

test('tarl projections pause, resume and cancel steer what is under way for the view', async () => {
  const steered: unknown[] = [];
  Object.assign(served.core.projections, { steer: async (id: string, wish: string) => (steered.push([id, wish]), operation({}, step('reading', 5))) });
  expect(await tarl('projections', 'pause', 'projects')).toMatchObject({ code: 4, stderr: 'Nothing is under way for projects.\n' });
  underWay = [operation({})];
  for (const wish of ['pause', 'resume', 'cancel']) expect(words((await tarl('projections', wish, 'projects')).stdout)[0]).toEqual(['view', 'what', 'state', 'by', 'since', 'phase', 'events']);
  expect(steered.map((each) => (each as string[])[1])).toEqual(['pause', 'resume', 'cancel']);
  expect(words((await tarl('projections', 'operations')).stdout)[1]!.slice(0, 4)).toEqual(['projects', 'rebuild', 'running', 'key:owner-key']);
});
