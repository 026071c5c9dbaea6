import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { wireCodes } from '../../src/api/errors.js';
import { Refusal, refusalCodes } from '../../src/domain/kit/index.js';
import { EventStoreTimeout, EventStoreUnavailable } from '../../src/platform/eventstore/errors.js';
import { readerKey } from './support/memory-core.js';
import { testApi, type Headers, type Outcome, type TestApi } from './support/clients.js';

let served: TestApi;
beforeAll(async () => {
  served = await testApi();
});
afterAll(() => served.close());

/** The same four requests, as each wire says them. */
interface Requests {
  create(input: object, headers?: Headers): Promise<Outcome>;
  describe(input: { project: string; description: string }, headers?: Headers): Promise<Outcome>;
  get(project: string, headers?: Headers): Promise<Outcome>;
  list(first: number, after?: string): Promise<{ names: string[]; next: string }>;
}

const fields = 'project description archived createdAt createdBy updatedAt etag';

const wires: Record<string, Requests> = {
  rest: {
    create: (input, headers) => served.rest('POST', '/api/v1/projects', input, headers),
    describe: ({ project, ...rest }, headers) => served.rest('POST', `/api/v1/projects/${project}:describe`, rest, headers),
    get: (project, headers) => served.rest('GET', `/api/v1/projects/${project}`, undefined, headers),
    list: async (first, after = '') => {
      const { answer } = await served.rest('GET', `/api/v1/projects?pageSize=${first}&pageToken=${after}`);
      return { names: answer.projects.map(({ project }: { project: string }) => project), next: answer.nextPageToken };
    },
  },
  grpc: {
    create: (input, headers) => served.grpc('CreateProject', input, headers),
    describe: (input, headers) => served.grpc('DescribeProject', input, headers),
    get: (project, headers) => served.grpc('GetProject', { project }, headers),
    list: async (pageSize, pageToken) => {
      const { answer } = await served.grpc('ListProjects', { pageSize, pageToken });
      return { names: answer.projects.map(({ project }: { project: string }) => project), next: answer.nextPageToken };
    },
  },
  graphql: {
    create: async (input, headers) => first(await served.graphql('mutation($input: CreateProjectInput!) { createProject(input: $input) { commandId position etag changed } }', { input }, headers)),
    describe: async (input, headers) => first(await served.graphql('mutation($input: DescribeProjectInput!) { describeProject(input: $input) { commandId position etag changed } }', { input }, headers)),
    get: async (project, headers) => first(await served.graphql(`query($project: String!) { project(project: $project) { ${fields} } }`, { project }, headers)),
    list: async (count, after) => {
      const { answer } = await served.graphql('query($first: Int, $after: String) { projects(first: $first, after: $after) { nodes { project } pageInfo { hasNextPage endCursor } } }', { first: count, after });
      const { nodes, pageInfo } = answer.projects;
      return { names: nodes.map(({ project }: { project: string }) => project), next: pageInfo.hasNextPage ? pageInfo.endCursor : '' };
    },
  },
};

const first = (outcome: Outcome): Outcome => (outcome.code === 'OK' ? { ...outcome, answer: Object.values(outcome.answer)[0] } : outcome);

let number = 0;
const newName = () => `p${++number}`;

describe.each(Object.keys(wires))('over %s', (wire) => {
  const { create, describe: describeProject, get, list } = wires[wire]!;

  test('a command answers with its position and etag, and a query reads what it did', async () => {
    const project = newName();
    const { code, answer } = await create({ project, description: 'Fraud in card payments' });
    expect({ code, answer }).toEqual({ code: 'OK', answer: { commandId: expect.stringMatching(/^[0-9a-f-]{36}$/), position: expect.stringMatching(/^\d+$/), etag: '0', changed: true } });
    expect((await get(project, { 'tarl-min-position': answer.position })).answer).toEqual({
      project,
      description: 'Fraud in card payments',
      archived: false,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      createdBy: 'key:owner-key',
      updatedAt: expect.any(String),
      etag: '0',
    });
  });

  test('a repeat under the same idempotency key answers as the first time, and another request under it is refused', async () => {
    const project = newName();
    const key = { 'idempotency-key': `key-${project}` };
    const once = await create({ project, description: 'one' }, key);
    expect((await create({ project, description: 'one' }, key)).answer).toEqual(once.answer);
    expect(await create({ project, description: 'two' }, key)).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'IDEMPOTENCY_KEY_REUSED' });
  });

  test('a change under an outdated etag is refused and changes nothing', async () => {
    const project = newName();
    await create({ project, description: 'one' });
    expect((await describeProject({ project, description: 'two' }, { 'if-match': '"0"' })).answer).toMatchObject({ changed: true, etag: '1' });
    expect(await describeProject({ project, description: 'three' }, { 'if-match': '"0"' })).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'ETAG_MISMATCH' });
    expect((await describeProject({ project, description: 'two' }, { 'if-match': '"0", W/"9",, "1"' })).answer).toMatchObject({ changed: false, etag: '1' });
    expect((await describeProject({ project, description: 'two' }, { 'if-match': '*' })).answer).toMatchObject({ changed: false, etag: '1' });
    expect((await get(project)).answer).toMatchObject({ description: 'two', etag: '1' });
  });

  test('a position that the read model does not reach is UNAVAILABLE, never older data', async () => {
    const project = newName();
    await create({ project });
    expect(await get(project, { 'tarl-min-position': '99999999999' })).toMatchObject({ code: 'UNAVAILABLE', reason: 'VIEW_BEHIND' });
  });

  test('a refusal says code, reason, sentence and trace id', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const outcome = await get('nobody', { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    expect(outcome).toMatchObject({ code: 'NOT_FOUND', reason: 'PROJECT_NOT_FOUND', message: 'Project nobody does not exist', traceId });
  });

  test('what a caller may write into the headers of a trace never stands in the way of the answer', async () => {
    const [traceId, parent] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const goneOnWith = [`00-${traceId}-${parent}-ff`, `cc-${traceId}-${parent}-01`, `cc-${traceId}-${parent}-01-what-comes-later`];
    const none = ['', '-', '00', `00-${traceId}-${parent}`, `00-${traceId}-${parent}-1`, `00-${traceId}-${parent}-0x`, `00-${traceId}-${parent}-01-more`, `cc-${traceId}-${parent}-01more`, `ff-${traceId}-${parent}-01`, `00-${'0'.repeat(32)}-${parent}-01`, `00-${traceId}-${'0'.repeat(16)}-01`, `00-${traceId.toUpperCase()}-${parent}-01`, `00-${traceId}-${parent}-01, 00-${traceId}-${parent}-01`, 'x'.repeat(4_000)];
    for (const tracestate of ['', ',,,', 'a=b', 'x'.repeat(4_000)]) {
      for (const given of goneOnWith) expect(await get('nobody', { traceparent: given, tracestate, baggage: tracestate })).toMatchObject({ code: 'NOT_FOUND', traceId });
    }
    for (const given of none) {
      const outcome = await get('nobody', { traceparent: given, tracestate: '=', baggage: '%%%=;;' });
      expect(outcome).toMatchObject({ code: 'NOT_FOUND', traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
      expect(outcome.traceId).not.toBe(traceId);
    }
  });

  test('an input that does not fit is refused with every field that is wrong', async () => {
    expect(await create({ project: 'Not A Name', description: 'x'.repeat(5000) })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'INVALID_INPUT',
      fields: [
        { field: 'project', description: 'takes a lower-case letter, then at most 62 of a-z, 0-9 and _' },
        { field: 'description', description: expect.stringContaining('4096') },
      ],
    });
  });

  test('without a key or with a wrong one nothing is told', async () => {
    for (const authorization of ['', 'Bearer wrong', 'Bearer ', 'Basic b3duZXI6b3duZXIta2V5']) {
      expect(await get('any', { authorization })).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect((await get('nobody', { authorization: '', 'x-api-key': 'owner-key' })).code).toBe('NOT_FOUND');
  });

  test('a key that may only read is refused a change', async () => {
    expect(await create({ project: newName() }, { authorization: `Bearer ${readerKey}` })).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'MISSING_PERMISSION' });
  });

  test('a list is read page by page, each item once', async () => {
    for (let count = 0; count < 5; count++) await create({ project: newName() });
    const all = (await list(1000)).names;
    const seen: string[] = [];
    for (let next: string | undefined; next !== ''; ) {
      const page: { names: string[]; next: string } = await list(2, next);
      expect(page.names.length).toBeLessThanOrEqual(2);
      seen.push(...page.names);
      next = page.next;
    }
    expect(seen).toEqual(all);
  });

  test.each(refusalCodes)('%s reads as the one table says', async (code) => {
    served.core.failWith(new Refusal(code, 'This is how it is', { reason: 'A_REASON', fields: [{ field: 'a.b[3]', description: 'is wrong' }] }));
    const outcome = await get('any');
    served.core.failWith(undefined);
    expect(outcome).toMatchObject({ code, message: 'This is how it is', reason: 'A_REASON', fields: [{ field: 'a.b[3]', description: 'is wrong' }] });
    if (wire === 'rest') expect(outcome).toMatchObject({ status: wireCodes[code].http, headers: { 'content-type': expect.stringContaining('application/problem+json') } });
  });

  test.each([
    ['the event store', new EventStoreUnavailable('connection refused by 10.0.0.7', { outcomeUnknown: true }), 'UNAVAILABLE'],
    ['an event store that is silent', new EventStoreTimeout('no answer from 10.0.0.7'), 'DEADLINE_EXCEEDED'],
    ['Postgres', Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' }), 'UNAVAILABLE'],
  ])('%s that is gone is said to be, without where it is, and logged with it', async (_what, error, code) => {
    served.log.length = 0;
    served.core.failWith(error);
    const outcome = await get('any');
    served.core.failWith(undefined);
    expect(outcome).toMatchObject({ code, message: expect.not.stringContaining('10.0.0.7') });
    expect(served.log).toEqual([expect.objectContaining({ level: 40, code, traceId: outcome.traceId, err: expect.objectContaining({ message: expect.stringContaining('10.0.0.7') }) })]);
  });

  test('a bug answers INTERNAL without its insides, and the log names its cause under the same trace id', async () => {
    served.core.failWith(new Error('select * from secrets failed', { cause: new Error('the cause') }));
    const outcome = await get('any');
    served.core.failWith(undefined);
    expect(outcome).toMatchObject({ code: 'INTERNAL', message: expect.not.stringContaining('secrets') });
    expect(served.log.filter(({ code, wire: loggedWire }) => code === 'INTERNAL' && loggedWire === wire)).toEqual([
      expect.objectContaining({ traceId: outcome.traceId, operation: 'GetProject', err: expect.objectContaining({ message: 'select * from secrets failed', cause: expect.objectContaining({ message: 'the cause' }) }) }),
    ]);
  });
});
