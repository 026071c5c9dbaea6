import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { loadProtos } from '../../src/api/grpc/protos.js';
import { until } from '../support/until.js';
import { callGrpc, callRest } from './support/clients.js';
import { testPlatform, type TestPlatform } from './support/platform.js';

let platform: TestPlatform;
let client: Client;
const project = '/api/v1/projects/p';
const groups = `${project}/feature-groups`;
const pipelines = `${project}/pipelines`;

beforeAll(async () => {
  platform = await testPlatform();
  const loaded = loadPackageDefinition(loadProtos(['tarl/features/v1/pipelines.proto'])) as any;
  client = new loaded.tarl.features.v1.Pipelines(platform.addresses.grpc, credentials.createInsecure());
  await ok(platform.rest('/api/v1/projects', { project: 'p' }));
  const entities = [{ name: 'card', type: 'INT64' }];
  await ok(platform.rest(groups, { group: 'payments', entities, features: [{ name: 'amount', type: 'DOUBLE' }], partitions: 3 }));
  await ok(platform.rest(groups, { group: 'customers', entities, features: [{ name: 'income', type: 'DOUBLE' }, { name: 'city', type: 'STRING' }] }));
  await ok(platform.rest(groups, { group: 'spending', entities, features: [{ name: 'n', type: 'INT64' }, { name: 'sum', type: 'DOUBLE', constraints: { max: 1000 } }, { name: 'share', type: 'DOUBLE' }, { name: 'city', type: 'STRING' }], partitions: 2 }));
  await ok(platform.rest(groups, { group: 'shops', entities: [{ name: 'shop', type: 'STRING' }], features: [{ name: 'x', type: 'DOUBLE' }] }));
  await ok(platform.rest(`${project}/transformations`, {
    transformation: 'recent',
    inputs: [{ name: 'amount', feature: 'payments:amount', type: 'DOUBLE' }],
    outputs: [{ name: 'n', window: { aggregate: 'COUNT', durationSeconds: 3600 } }, { name: 'sum', window: { aggregate: 'SUM', input: 'amount', durationSeconds: 3600 } }],
  }));
  await ok(platform.rest(`${project}/transformations`, { transformation: 'usage', inputs: [{ name: 'amount', feature: 'payments:amount', type: 'DOUBLE' }, { name: 'income', feature: 'customers:income', type: 'DOUBLE' }], outputs: [{ name: 'share', expression: 'amount / income' }] }));
  await write('customers', [[1, '2026-01-01T00:00:00Z', { income: 100, city: 'Bonn' }], [1, '2026-01-01T02:00:00Z', { income: 200, city: 'Kiel' }]]);
  await pay([[1, '2026-01-01T01:00:00Z', 10], [1, '2026-01-01T01:30:00Z', 20], [1, '2026-01-01T02:30:00Z', 40], [2, '2026-01-01T01:00:00Z', 5]]);
});
afterAll(async () => {
  client.close();
  await platform.close();
});

async function ok(called: Promise<{ code: string; message?: string; answer?: any }>): Promise<any> {
  const { code, message, answer } = await called;
  expect({ code, message }).toEqual({ code: 'OK', message: undefined });
  return answer;
}

const get = (path: string, headers?: Record<string, string>) => ok(callRest(platform.addresses.rest, 'GET', path, undefined, headers));
const write = async (group: string, rows: [number, string, object][]): Promise<string> => (await ok(platform.rest(`${groups}/${group}:write`, { rows: rows.map(([card, eventTime, values]) => ({ entity: { card }, eventTime, values })) }))).position;
const pay = (rows: [number, string, number][]) => write('payments', rows.map(([card, time, amount]) => [card, time, { amount }]));

const steps = [{ feature: 'n', from: 'recent:n' }, { feature: 'sum', from: 'recent:sum' }, { feature: 'share', from: 'usage@1:share' }, { feature: 'city', from: 'customers:city' }];
const create = (pipeline: string, more: object = {}) => platform.rest(pipelines, { pipeline, source: 'payments', steps, target: 'spending', ...more });

/** Applies and waits until the run has ended. */
async function apply(pipeline: string, run: string, more: object = {}): Promise<any> {
  await ok(platform.rest(`${pipelines}/${pipeline}:apply`, { run, ...more }));
  return ended(pipeline, run);
}
async function ended(pipeline: string, run: string): Promise<any> {
  let found: any;
  await until(`the run ${run} has ended`, async () => {
    const { code, answer } = await callRest(platform.addresses.rest, 'GET', `${pipelines}/${pipeline}/runs/${run}`);
    found = answer;
    return code === 'OK' && ['FINISHED', 'FAILED'].includes(answer.state);
  });
  return found;
}

async function held(): Promise<unknown[]> {
  const { rows } = await ok(platform.rest(`${project}/features:historical`, { features: ['spending'], start: '2026-01-01', end: '2026-02-01' }, { accept: 'application/json' }));
  return rows.map(({ card, event_time, n, sum, share, city }: any) => [card, event_time.slice(11, 16), n, sum, share, city]);
}

describe('a pipeline', () => {
  test('fills a group for every row of another, windows, several groups and all, as of the time of each row', async () => {
    await ok(create('spend'));
    expect(await apply('spend', 'first')).toMatchObject({ state: 'FINISHED', version: 1, slices: 3, slicesDone: 3, rowsRead: 4, rowsWritten: 4, attempt: 1, error: '' });
    expect(await held()).toEqual([
      [1, '01:00', 1, 10, 0.1, 'Bonn'],
      [1, '01:30', 2, 30, 0.2, 'Bonn'],
      [1, '02:30', 1, 40, 0.2, 'Kiel'],
      [2, '01:00', 1, 5, null, null],
    ]);
  });

  test('writes nothing twice: the same run is the same, and another writes only what a late row changed', async () => {
    const again = await ok(platform.rest(`${pipelines}/spend:apply`, { run: 'first' }));
    expect(again.changed).toBe(false);
    expect(await apply('spend', 'second')).toMatchObject({ state: 'FINISHED', rowsRead: 4, rowsWritten: 0 });
    await pay([[1, '2026-01-01T01:15:00Z', 3]]);
    expect(await apply('spend', 'third')).toMatchObject({ state: 'FINISHED', rowsRead: 5, rowsWritten: 2 });
    expect((await held()).slice(0, 4)).toEqual([[1, '01:00', 1, 10, 0.1, 'Bonn'], [1, '01:15', 2, 13, 0.03, 'Bonn'], [1, '01:30', 3, 33, 0.2, 'Bonn'], [1, '02:30', 1, 40, 0.2, 'Kiel']]);
  });

  test('is applied to a range of event times, both ends included', async () => {
    await pay([[3, '2026-01-02T00:00:00Z', 1], [3, '2026-01-02T01:00:00Z', 2], [3, '2026-01-02T02:00:00Z', 4]]);
    expect(await apply('spend', 'range', { start: '2026-01-02T01:00:00Z', end: '2026-01-02T02:00:00Z' })).toMatchObject({ state: 'FINISHED', start: '2026-01-02T01:00:00.000Z', rowsRead: 2, rowsWritten: 2 });
    expect((await held()).filter((row: any) => row[0] === 3)).toEqual([[3, '01:00', 1, 2, null, null], [3, '02:00', 1, 4, null, null]]);
    expect(await platform.rest(`${pipelines}/spend:apply`, { run: 'backwards', start: '2026-01-02T02:00:00Z', end: '2026-01-02T01:00:00Z' })).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'start', description: 'lies after the end' }] });
    expect(await platform.rest(`${pipelines}/spend:apply`, { run: 'range' })).toMatchObject({ code: 'ALREADY_EXISTS', reason: 'PIPELINE_RUN_EXISTS' });
  });

  test('that meets a row which the target does not take says which, and the run goes on where it stopped when it can', async () => {
    await pay([[4, '2026-01-03T00:00:00Z', 5000]]);
    const failed = await apply('spend', 'too_much', { start: '2026-01-03T00:00:00Z' });
    expect(failed).toMatchObject({ state: 'FAILED', error: expect.stringMatching(/^spending does not take the row of card 4 at 2026-01-03T00:00:00\.000Z: values\.sum is greater than 1000$/) });
    await pay([[4, '2026-01-03T00:00:00Z', 500]]);
    expect(await apply('spend', 'too_much', { start: '2026-01-03T00:00:00Z' }).then(() => until('the run has ended', async () => (await get(`${pipelines}/spend/runs/too_much`)).state === 'FINISHED')).then(() => get(`${pipelines}/spend/runs/too_much`))).toMatchObject({ attempt: 2, rowsWritten: 1, error: '' });
  });

  test('that changes has a new version, which the next run applies', async () => {
    expect((await ok(create('spend'))).changed).toBe(false);
    const { position } = await ok(create('spend', { steps: steps.slice(0, 2) }));
    expect(await get(`${pipelines}/spend`, { 'tarl-min-position': position })).toMatchObject({ version: 2, source: 'payments', target: 'spending', steps: steps.slice(0, 2) });
    expect(await apply('spend', 'changed', { end: '2026-01-01T01:00:00Z' })).toMatchObject({ state: 'FINISHED', version: 2, rowsWritten: 0 });
  });

  test('is created, applied and watched over gRPC and GraphQL too', async () => {
    await ok(callGrpc(client, 'CreatePipeline', { project: 'p', pipeline: 'over_grpc', source: 'payments@1', steps: steps.slice(0, 1), target: 'spending' }));
    await ok(callGrpc(client, 'ApplyPipeline', { project: 'p', pipeline: 'over_grpc', run: 'r', start: '2026-01-05T00:00:00Z' }));
    expect(await ended('over_grpc', 'r')).toMatchObject({ state: 'FINISHED', rowsRead: 0 });
    expect(await ok(callGrpc(client, 'GetPipelineRun', { project: 'p', pipeline: 'over_grpc', run: 'r' }))).toMatchObject({ state: 'FINISHED' });
    const { pipelineRuns } = await ok(platform.graphql('query { pipelineRuns(project: "p", filter: "pipeline = over_grpc AND state = FINISHED") { nodes { run state slices } } }'));
    expect(pipelineRuns.nodes).toEqual([{ run: 'r', state: 'FINISHED', slices: 3 }]);
    await ok(platform.graphql('mutation { archivePipeline(input: { project: "p", pipeline: "over_grpc", reason: "Done" }) { changed } }'));
    expect(await platform.rest(`${pipelines}/over_grpc:apply`, { run: 'later' })).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PIPELINE_ARCHIVED' });
  });

  test('and its runs are told as they were at a moment, over every wire', async () => {
    const { position: first } = await ok(create('as_of', { steps: steps.slice(0, 1) }));
    const { position: asked } = await ok(platform.rest(`${pipelines}/as_of:apply`, { run: 'r', start: '2026-01-05T00:00:00Z' }));
    await ended('as_of', 'r');
    const { position: now } = await ok(create('as_of', { steps: steps.slice(0, 2) }));
    const at = (moment: string) => get(`${pipelines}/as_of?asOf=${moment}`, { 'tarl-min-position': now });
    expect([(await at(first)).version, (await at(now)).version]).toEqual([1, 2]);
    expect((await get(`${pipelines}?asOf=${first}&filter=${encodeURIComponent('pipeline = as_of')}`)).pipelines).toMatchObject([{ version: 1, steps: steps.slice(0, 1) }]);
    expect(await get(`${pipelines}/as_of/runs/r?asOf=${asked}`)).toMatchObject({ state: 'REQUESTED', slices: 0 });
    expect(await callRest(platform.addresses.rest, 'GET', `${pipelines}/as_of/runs/r?asOf=${first}`)).toMatchObject({ code: 'NOT_FOUND', reason: 'PIPELINE_RUN_NOT_FOUND' });
    expect(await ok(callGrpc(client, 'GetPipeline', { project: 'p', pipeline: 'as_of', asOf: first }))).toMatchObject({ version: '1' });
    expect((await ok(callGrpc(client, 'ListPipelines', { project: 'p', filter: 'pipeline = as_of', asOf: first }))).pipelines).toMatchObject([{ version: '1' }]);
    expect(await ok(callGrpc(client, 'GetPipelineRun', { project: 'p', pipeline: 'as_of', run: 'r', asOf: asked }))).toMatchObject({ state: 'REQUESTED' });
    expect((await ok(callGrpc(client, 'ListPipelineRuns', { project: 'p', filter: 'pipeline = as_of', asOf: asked }))).pipelineRuns).toMatchObject([{ state: 'REQUESTED' }]);
    const query = `query ($first: String!, $asked: String!) {
      pipeline(project: "p", pipeline: "as_of", asOf: $first) { version }
      pipelines(project: "p", filter: "pipeline = as_of", asOf: $first) { nodes { version } }
      now: pipelineRun(project: "p", pipeline: "as_of", run: "r") { state }
      then: pipelineRuns(project: "p", filter: "pipeline = as_of", asOf: $asked) { nodes { state } }
    }`;
    expect(await ok(platform.graphql(query, { first, asked }))).toEqual({ pipeline: { version: 1 }, pipelines: { nodes: [{ version: 1 }] }, now: { state: 'FINISHED' }, then: { nodes: [{ state: 'REQUESTED' }] } });
  });

  test.each<[string, object, string, string]>([
    ['into its own source', { target: 'payments' }, 'target', 'is the source'],
    ['into other keys', { target: 'shops', steps: [{ feature: 'x', from: 'usage:share' }] }, 'target', 'has other keys than payments'],
    ['of a feature that the target does not have', { steps: [{ feature: 'nope', from: 'recent:n' }] }, 'steps[0].feature', 'names nope, which spending does not have'],
    ['of another type', { steps: [{ feature: 'n', from: 'usage:share' }] }, 'steps[0].from', 'is DOUBLE, but n is INT64'],
    ['of an output that is not there', { steps: [{ feature: 'n', from: 'recent:nope' }] }, 'steps[0].from', 'names nope, which recent does not give'],
    ['of a name that is not there', { steps: [{ feature: 'n', from: 'nope:n' }] }, 'steps[0].from', 'neither a group nor a transformation'],
    ['that fills a feature twice', { steps: [steps[0], steps[0]] }, 'steps[1].feature', 'which another step fills'],
    ['of a whole transformation', { steps: [{ feature: 'n', from: 'recent' }] }, 'steps[0].from', 'takes transformation:output'],
  ])('%s is refused over every wire', async (_what, more, field, sentence) => {
    const refused = { code: 'INVALID_ARGUMENT', fields: [{ field, description: expect.stringContaining(sentence) }] };
    expect(await create('refused', more)).toMatchObject(refused);
    const input = { project: 'p', pipeline: 'refused', source: 'payments', steps, target: 'spending', ...more };
    expect(await callGrpc(client, 'CreatePipeline', input)).toMatchObject(refused);
    expect(await platform.graphql('mutation ($input: CreatePipelineInput!) { createPipeline(input: $input) { position } }', { input })).toMatchObject(refused);
  });

  test('that is not there is not applied', async () => {
    expect(await platform.rest(`${pipelines}/nope:apply`, { run: 'r' })).toMatchObject({ code: 'NOT_FOUND', reason: 'PIPELINE_NOT_FOUND' });
    expect(await callRest(platform.addresses.rest, 'GET', `${pipelines}/spend/runs/nope`)).toMatchObject({ code: 'NOT_FOUND', reason: 'PIPELINE_RUN_NOT_FOUND' });
  });
});

describe('a pipeline applied to rows that are given', () => {
  const given = (card: unknown, eventTime: unknown, amount: unknown) => ({ entity: { card }, eventTime, values: { amount } });
  const applied = (path: string, rows: object[]) => platform.rest(`${pipelines}/${path}:applyToRows`, { rows });
  /** The same question over each wire. */
  const overEachWire = async (pipeline: string, rows: object[]) => {
    const query = 'query ($rows: [GivenRowInput!]!, $pipeline: String!) { applyPipelineToRows(project: "p", pipeline: $pipeline, rows: $rows) { version source target rows { row entity eventTime values } faults { row field description } brokenExpectations { expectation feature observed holds } } }';
    const [rest, grpc, graphql] = await Promise.all([ok(applied(pipeline, rows)), ok(callGrpc(client, 'ApplyPipelineToRows', { project: 'p', pipeline, rows })), ok(platform.graphql(query, { pipeline, rows }))]);
    return { rest, grpc, graphql: graphql.applyPipelineToRows };
  };

  test('gives the rows that a run would write had they been written, beside those that are, and writes nothing', async () => {
    await ok(create('given'));
    await pay([[9, '2026-02-01T01:00:00Z', 10]]);
    await write('customers', [[9, '2026-02-01T00:00:00Z', { income: 100, city: 'Graz' }]]);
    const rows = [given(9, '2026-02-01T02:30:00Z', 40), given(9, '2026-02-01T01:30:00Z', 20), given(10, '2026-02-01T01:30:00Z', 7)];
    const { rest } = await overEachWire('given', rows);
    const made = [
      { row: 0, entity: { card: 9 }, eventTime: '2026-02-01T02:30:00.000Z', values: { n: 1, sum: 40, share: 0.4, city: 'Graz' } },
      { row: 1, entity: { card: 9 }, eventTime: '2026-02-01T01:30:00.000Z', values: { n: 2, sum: 30, share: 0.2, city: 'Graz' } },
      { row: 2, entity: { card: 10 }, eventTime: '2026-02-01T01:30:00.000Z', values: { n: 1, sum: 7, share: null, city: null } },
    ];
    expect(rest).toMatchObject({ pipeline: 'given', version: 1, source: 'payments@1', target: 'spending@1', rows: made, faults: [] });
    const february = { start: '2026-02-01', end: '2026-03-01' };
    const stored = async (group: string) => (await ok(platform.rest(`${project}/features:historical`, { features: [group], ...february }, { accept: 'application/json' }))).rows;
    expect(await stored('payments')).toHaveLength(1);
    expect(await stored('spending')).toEqual([]);

    await pay([[9, '2026-02-01T02:30:00Z', 40], [9, '2026-02-01T01:30:00Z', 20], [10, '2026-02-01T01:30:00Z', 7]]);
    expect(await apply('given', 'as_promised', { start: '2026-02-01T01:30:00Z', end: '2026-02-28T00:00:00Z' })).toMatchObject({ state: 'FINISHED', rowsWritten: 3 });
    const written = (await stored('spending')).map(({ card, event_time: at, ...values }: any) => ({ entity: { card }, at, values }));
    expect(new Set(written)).toEqual(new Set(made.map(({ entity, eventTime: at, values }) => ({ entity, at, values }))));
  });

  test('says of each row by itself what is wrong with it, and makes the others, alike on every wire', async () => {
    const rows = [given(11, '2026-02-02T00:00:00Z', 1), given('eleven', '2026-02-02T00:00:00Z', 1), given(11, 'noon', 1), given(11, '2026-02-02T00:10:00Z', 'much'), given(11, '2026-02-02T00:20:00Z', 5000), { entity: { card: 11, shop: 'x' }, eventTime: '2026-02-02T00:30:00Z', values: {} }];
    const { rest, grpc, graphql } = await overEachWire('given', rows);
    const faults = [
      { row: 1, field: 'entity.card', description: expect.stringContaining('takes a whole number') },
      { row: 2, field: 'eventTime', description: expect.stringContaining('takes a time') },
      { row: 3, field: 'values.amount', description: expect.stringContaining('takes a finite number') },
      { row: 4, field: 'target.values.sum', description: 'is greater than 1000' },
      { row: 5, field: 'entity.shop', description: 'is not a key of payments' },
    ];
    const made = [{ row: 0, entity: { card: 11 }, eventTime: '2026-02-02T00:00:00.000Z', values: { n: 1, sum: 1, share: null, city: null } }];
    expect(rest).toMatchObject({ rows: made, faults });
    expect(graphql).toMatchObject({ version: 1, source: 'payments@1', target: 'spending@1', rows: made, faults });
    const numbered = (list: any[]) => list.map((one) => ({ ...one, row: Number(one.row) }));
    expect({ rows: numbered(grpc.rows), faults: numbered(grpc.faults) }).toMatchObject({ rows: made, faults });
  });

  test('gives rows that a write of the target takes as they are', async () => {
    const { rows } = await ok(applied('given', [given(12, '2026-02-03T00:00:00Z', 3)]));
    expect(await ok(platform.rest(`${groups}/spending:write`, { rows: rows.map(({ row: _row, ...row }: any) => row) }))).toMatchObject({ rowsWritten: 1 });
  });

  test('is held against what is expected of the target, as a write of the same rows is: reported or refused, and nothing is told', async () => {
    const expecting = (mode: string) => ok(platform.rest(`${groups}/spending:setExpectations`, { expectations: mode === '' ? [] : [{ name: 'few_nulls', kind: 'NULL_RATE', feature: 'city', max: 0.5, mode }] }));
    const breaches = async () => (await get(`${project}/expectation-breaches`)).expectationBreaches;
    const rows = [given(13, '2026-02-04T00:00:00Z', 3), given(9, '2026-02-04T00:00:00Z', 3), given(14, '2026-02-04T00:00:00Z', 3), given(15, '2026-02-04T00:00:00Z', 5000)];
    const broken = [{ expectation: 'few_nulls', feature: 'city', observed: 2 / 3, holds: false }];
    await expecting('REPORT');
    const { rest, grpc, graphql } = await overEachWire('given', rows);
    for (const answer of [rest, grpc, graphql]) expect(answer).toMatchObject({ brokenExpectations: broken });
    expect(rest.faults).toHaveLength(1);
    expect(await breaches()).toEqual([]);
    const made = { rows: rest.rows.map(({ row: _row, ...row }: any) => row) };
    await expecting('REFUSE');
    const refused = await applied('given', rows);
    expect(refused).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'EXPECTATION_BROKEN', fields: [{ field: 'values.city' }] });
    const written = await platform.rest(`${groups}/spending:write`, made);
    for (const part of ['code', 'message', 'reason', 'fields'] as const) expect(refused[part]).toEqual(written[part]);
    await expecting('REPORT');
    await ok(platform.rest(`${groups}/spending:write`, made));
    await until('the breach is seen', async () => (await breaches()).length > 0);
    expect(await breaches()).toMatchObject(broken);
    await expecting('');
    expect(await ok(applied('given', rows))).toMatchObject({ brokenExpectations: [] });
  });

  test('is refused without rows, with too many, and where there is no pipeline', async () => {
    expect(await applied('given', [])).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'rows' }] });
    expect(await applied('given', new Array(10_001).fill({}))).toMatchObject({ code: 'INVALID_ARGUMENT', fields: [{ field: 'rows' }] });
    expect(await applied('nope', [given(1, '2026-02-01', 1)])).toMatchObject({ code: 'NOT_FOUND', reason: 'PIPELINE_NOT_FOUND' });
    expect(await applied('over_grpc', [given(1, '2026-02-01', 1)])).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PIPELINE_ARCHIVED' });
  });
});
