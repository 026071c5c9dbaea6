import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTarl } from '../cli/run.js';
import { callRest, grpcClient, callGrpc, type Outcome } from './support/clients.js';
import { ownerKey } from './support/memory-core.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let projects: ReturnType<typeof grpcClient>;
let home: string;
/** Positions after the project and its group and service were made, and after all three were changed. */
let then: string;
let now: string;

beforeAll(async () => {
  platform = await testPlatform();
  projects = grpcClient(platform.addresses.grpc);
  home = await mkdtemp(join(tmpdir(), 'tarl-test-cli-'));
  await mkdir(join(home, 'tarl'));
  await writeFile(join(home, 'tarl/config.json'), JSON.stringify({ default: { rest: platform.addresses.rest, key: ownerKey } }));
  const did = async (path: string, body: object) => {
    const { code, answer } = await platform.rest(path, body);
    expect(code).toBe('OK');
    return answer.position as string;
  };
  await did('/api/v1/projects', { project: 'p', description: 'before' });
  await did('/api/v1/projects/p/feature-groups', { group: 'g', entities: [{ name: 'k', type: 'STRING' }], features: [{ name: 'f', type: 'DOUBLE' }], owner: 'ann' });
  then = await did('/api/v1/projects/p/feature-services', { service: 's', features: ['g:f'], owner: 'ann' });
  await did('/api/v1/projects', { project: 'later', description: '' });
  await did('/api/v1/projects/p:describe', { description: 'after' });
  await did('/api/v1/projects/p/feature-groups/g:describe', { owner: 'bob' });
  now = await did('/api/v1/projects/p/feature-services/s:archive', { reason: 'done' });
});
afterAll(async () => {
  projects.close();
  await platform.close();
  await rm(home, { recursive: true });
});

const get = (path: string, headers = {}) => callRest(platform.addresses.rest, 'GET', path, undefined, { 'tarl-min-position': now, ...headers });
const tarl = (...args: string[]) => runTarl(args, { env: { XDG_CONFIG_HOME: home, TARL_DATA_DIR: join(home, 'no-data') } });

describe('one position answers across all domains', () => {
  test('over REST, and the answer says the position it was made at', async () => {
    expect(await get(`/api/v1/projects/p?asOf=${then}`)).toMatchObject({ answer: { description: 'before', etag: '0' }, headers: { 'tarl-as-of': then } });
    expect((await get(`/api/v1/projects?asOf=${then}`)).answer.projects).toMatchObject([{ project: 'p' }]);
    expect((await get(`/api/v1/projects/p/feature-groups?filter=owner%20%3D%20ann&asOf=${then}`)).answer.featureGroups).toMatchObject([{ group: 'g', owner: 'ann' }]);
    expect((await get(`/api/v1/projects/p/feature-groups?filter=owner%20%3D%20ann`)).answer.featureGroups).toEqual([]);
    expect((await get(`/api/v1/projects/p/feature-services/s?asOf=${then}`)).answer).toMatchObject({ archived: false });
    const today = await get('/api/v1/projects/p');
    expect(today.answer).toMatchObject({ description: 'after' });
    expect(today.headers).not.toHaveProperty('tarl-as-of');
  });

  test('over gRPC', async () => {
    expect(await callGrpc(projects, 'GetProject', { project: 'p', asOf: then })).toMatchObject({ answer: { description: 'before' }, headers: { 'tarl-as-of': then } });
    expect((await callGrpc(projects, 'ListProjects', { asOf: then })).answer.projects).toHaveLength(1);
    expect((await platform.grpc('GetFeatureGroup', { project: 'p', group: 'g', asOf: then })).answer).toMatchObject({ owner: 'ann' });
    expect((await platform.grpc('ListFeatureServices', { project: 'p', asOf: then })).answer.featureServices).toMatchObject([{ archived: false }]);
  });

  test('over GraphQL, the present beside the past in one request', async () => {
    const query = `query($then: String!) {
      before: project(project: "p", asOf: $then) { description }
      project(project: "p") { description }
      featureGroups(project: "p", asOf: $then) { nodes { owner } }
      featureServices(project: "p", asOf: $then) { nodes { archived } }
    }`;
    expect(await platform.graphql(query, { then }, { 'tarl-min-position': now })).toMatchObject({
      answer: { before: { description: 'before' }, project: { description: 'after' }, featureGroups: { nodes: [{ owner: 'ann' }] }, featureServices: { nodes: [{ archived: false }] } },
      headers: { 'tarl-as-of': then },
    });
  });

  test('on the command line, by a time too', async () => {
    const { createdAt } = (await get('/api/v1/projects/later')).answer;
    const { code, stdout, stderr } = await tarl('projects', 'list', '--as-of', then);
    expect({ code, stderr }).toEqual({ code: 0, stderr: `As of position ${then}.\n` });
    expect(stdout).toContain('before');
    expect((await tarl('projects', 'get', 'later', '--as-of', then)).stderr).toContain('Project later does not exist');
    const byTime = await tarl('projects', 'get', 'later', '--as-of', createdAt, '--json');
    expect(JSON.parse(byTime.stdout)).toMatchObject({ project: 'later' });
    expect(byTime.stderr).toMatch(/^As of position \d+\.$/m);
  });
});

test('a time is the position of the last event by then, and is told as such', async () => {
  const { createdAt } = (await get('/api/v1/projects/later')).answer;
  const { answer, headers } = await get(`/api/v1/projects/later?asOf=${createdAt}`);
  expect(answer.project).toBe('later');
  const again = await get(`/api/v1/projects/later?asOf=${headers!['tarl-as-of']}`);
  expect(again.answer).toEqual(answer);
  expect(await get('/api/v1/projects/later?asOf=2020-01-01T00:00Z')).toMatchObject({ code: 'NOT_FOUND' });
  expect((await get('/api/v1/projects?asOf=2020-01-01T00:00Z')).answer.projects).toEqual([]);
});

describe('a moment that cannot be answered is refused', () => {
  const refusals: readonly (readonly [string, string, Partial<Outcome>])[] = [
    ['the future', '2999-01-01T00:00:00Z', { code: 'OUT_OF_RANGE', status: 400, reason: 'TIME_IN_FUTURE' }],
    ['a position beyond the log', '99999999999', { code: 'OUT_OF_RANGE', status: 400, reason: 'POSITION_BEYOND_END' }],
    ['garbage', 'yesterday', { code: 'INVALID_ARGUMENT', reason: 'INVALID_INPUT', fields: [{ field: 'asOf', description: expect.stringContaining('takes a position of the log, or a time') as never }] }],
    ['nothing', '', { code: 'INVALID_ARGUMENT', reason: 'INVALID_INPUT' }],
  ];
  test.each(refusals)('%s', async (_what, asOf, refused) => {
    const { status, ...anywhere } = refused;
    expect(await get(`/api/v1/projects/p?asOf=${asOf}`)).toMatchObject(refused);
    expect(await callGrpc(projects, 'GetProject', { project: 'p', asOf })).toMatchObject(anywhere);
    expect(await platform.graphql('query($asOf: String!) { project(project: "p", asOf: $asOf) { project } }', { asOf })).toMatchObject(anywhere);
  });

  test('and so is a query that has no past', async () => {
    expect(await callRest(platform.addresses.rest, 'POST', `/api/v1/projects`, { project: 'x', asOf: then })).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'UNKNOWN_FIELD' });
  });

  test('a page of a list goes on only as of its own moment', async () => {
    const first = await get(`/api/v1/projects?pageSize=1&asOf=${now}`);
    expect(first.answer.nextPageToken).not.toBe('');
    const next = (asOf: string) => get(`/api/v1/projects?pageSize=1&pageToken=${first.answer.nextPageToken}${asOf}`);
    expect((await next(`&asOf=${now}`)).answer.projects).toMatchObject([{ project: 'p' }]);
    for (const other of ['', `&asOf=${then}`]) expect(await next(other)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
