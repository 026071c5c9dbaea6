import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { connect as connectHttp2 } from 'node:http2';
import { callGraphql, callGrpc, callRest, grpcClient, testApi, type Outcome, type TestApi } from './support/clients.js';

const limit = 256 * 1024;
let served: TestApi;
let before: number;
beforeAll(async () => {
  served = await testApi({ maxMessageBytes: limit });
  await served.rest('POST', '/api/v1/projects', { project: 'there', description: 'one' });
});
afterAll(() => served.close());
beforeEach(() => {
  before = served.core.events.length;
});

/** A clear no: the caller's fault in the caller's words, and nothing changed. */
function expectRefused(outcome: Outcome, code = 'INVALID_ARGUMENT', more: Partial<Outcome> = {}): void {
  expect(outcome).toMatchObject({ code, message: expect.stringMatching(/\S/), reason: expect.stringMatching(/^[A-Z_]+$/), ...more });
  if (outcome.status !== undefined) expect([outcome.status, outcome.status >= 400 && outcome.status < 500]).toEqual([outcome.status, true]);
  expect(served.core.events.length).toBe(before);
}

const create = 'mutation($input: CreateProjectInput!) { createProject(input: $input) { position } }';
const describeProject = 'mutation($input: DescribeProjectInput!) { describeProject(input: $input) { position } }';

/** The same wrong inputs, as each wire would carry them. GraphQL answers 200 once it has run a request. */
const commands: Record<string, (operation: 'create' | 'describe', input: any, headers?: Record<string, string>) => Promise<Outcome>> = {
  rest: (operation, input, headers) =>
    operation === 'create' ? served.rest('POST', '/api/v1/projects', input, headers) : served.rest('POST', `/api/v1/projects/${input.project}:describe`, { description: input.description }, headers),
  grpc: (operation, input, headers) => served.grpc(operation === 'create' ? 'CreateProject' : 'DescribeProject', input, headers),
  graphql: async (operation, input, headers) => {
    const outcome = await served.graphql(operation === 'create' ? create : describeProject, { input }, headers);
    return { ...outcome, status: outcome.status === 200 ? undefined : outcome.status };
  },
};

describe.each(Object.keys(commands))('over %s', (wire) => {
  const command = commands[wire]!;

  test.each([
    ['an empty name', { project: '' }],
    ['a name with capitals', { project: 'Fraud' }],
    ['a name of 64 characters', { project: 'p'.repeat(64) }],
    ['a name that climbs folders', { project: '../../etc' }],
    ['a name with a colon', { project: 'a:archive' }],
    ['a name with a line end', { project: 'a\nb' }],
    ['a description with a NUL', { project: 'fresh', description: 'a\u0000b' }],
    ['a description with an escape sequence', { project: 'fresh', description: '\u001b[31mred' }],
    ['a description with the sign for broken UTF-8', { project: 'fresh', description: 'caf\ufffd' }],
    ['a description that is too long', { project: 'fresh', description: 'x'.repeat(4097) }],
    ['no name', {}],
  ])('%s is refused', async (_what, input) => {
    expectRefused(await command('create', input));
  });

  test.each([
    ['an etag that is none', { 'if-match': '"' }],
    ['an etag behind another sign', { 'if-match': 'x"1"' }],
    ['two etags with nothing between them', { 'if-match': '"1" "2"' }],
    ['a star among etags', { 'if-match': '"1", *' }],
    ['no etag at all', { 'if-match': ',' }],
    ['an idempotency key with blanks', { 'idempotency-key': 'two words' }],
    ['an idempotency key that is too long', { 'idempotency-key': 'k'.repeat(257) }],
    ['an empty idempotency key', { 'idempotency-key': '' }],
  ])('%s is refused', async (_what, headers) => {
    expectRefused(await command('describe', { project: 'there', description: 'two' }, headers as unknown as Record<string, string>));
  });

  test.each(['"7"', '7', '"7", "8"', 'W/"0"', 'W/"0", "7"'])('an outdated or weak etag is refused: %s', async (etags) => {
    expectRefused(await command('describe', { project: 'there', description: 'two' }, { 'if-match': etags }), 'FAILED_PRECONDITION', { reason: 'ETAG_MISMATCH' });
  });

  test('nothing is created for whoever asks that it exists', async () => {
    expectRefused(await command('create', { project: 'fresh' }, { 'if-match': '*' }), 'FAILED_PRECONDITION', { reason: 'ETAG_MISMATCH' });
  });
});

describe('positions and page tokens', () => {
  const list: Record<string, (pageSize: number, pageToken: string, headers?: Record<string, string>) => Promise<Outcome>> = {
    rest: (pageSize, pageToken, headers) => served.rest('GET', `/api/v1/projects?pageSize=${pageSize}&pageToken=${encodeURIComponent(pageToken)}`, undefined, headers),
    grpc: (pageSize, pageToken, headers) => served.grpc('ListProjects', { pageSize, pageToken }, headers),
    graphql: async (first, after, headers) => ({ ...(await served.graphql('query($first: Int, $after: String) { projects(first: $first, after: $after) { nodes { project } } }', { first, after }, headers)), status: undefined }),
  };

  test.each(Object.keys(list))('over %s what nobody gave out is refused', async (wire) => {
    for (const token of ['nonsense', Buffer.from('{"a":1}').toString('base64url'), Buffer.from('["a","b"]').toString('base64url'), 'ä']) expectRefused(await list[wire]!(10, token));
    for (const position of ['-1', '1.5', 'abc', '1/2/3', '99999999999999999999999', 'x y']) expectRefused(await list[wire]!(10, '', { 'tarl-min-position': position }));
    for (const pageSize of [0, -5, 1001]) expectRefused(await list[wire]!(pageSize, ''));
  });
});

describe('over rest', () => {
  const post = (body: unknown, headers?: Record<string, string>) => served.rest('POST', '/api/v1/projects', body, headers);

  test.each([
    ['half a JSON', '{"project":'],
    ['a list', '[]'],
    ['a text', '"fresh"'],
    ['a number', '7'],
    ['a prototype', '{"project":"fresh","__proto__":{"admin":true}}'],
    ['broken UTF-8', new Uint8Array([0x7b, 0x22, 0x70, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])],
    ['half a surrogate pair', '{"project":"fresh","description":"\\ud800"}'],
    ['an unknown field', { project: 'fresh', descripton: 'x' }],
    ['a number for a text', { project: 'fresh', description: 7 }],
    ['null for a name', { project: null }],
    ['an object for a name', { project: { a: 1 } }],
    ['JSON nested ten thousand deep', `{"project":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
  ])('%s is refused', async (_what, body) => {
    expectRefused(await post(body));
  });

  test('an unknown field is named, in the body and in the query string', async () => {
    expectRefused(await post({ project: 'fresh', descripton: 'x' }), 'INVALID_ARGUMENT', { reason: 'UNKNOWN_FIELD', fields: [{ field: 'descripton', description: 'is not a field of this request' }] });
    expectRefused(await served.rest('GET', '/api/v1/projects?pagesize=3'), 'INVALID_ARGUMENT', { reason: 'UNKNOWN_FIELD' });
    expectRefused(await served.rest('GET', '/api/v1/projects?pageSize=three'));
    expectRefused(await served.rest('GET', '/api/v1/projects?pageSize=1&pageSize=2'));
  });

  test('what is not JSON is told with its place, and never repeated', async () => {
    expectRefused(await post('{"project":"fresh",}'), 'INVALID_ARGUMENT', { reason: 'MALFORMED_JSON', message: 'The body is not JSON: Expected double-quoted property name in JSON at position 19 (line 1 column 20)' });
    expectRefused(await post('{"project":NaN,"token":"secret"}'), 'INVALID_ARGUMENT', { reason: 'MALFORMED_JSON', message: "The body is not JSON: Unexpected token 'N'" });
    expectRefused(await post('{"project":"fresh","constructor":{"prototype":{}}}'), 'INVALID_ARGUMENT', { reason: 'INVALID_BODY', message: 'The body has a key __proto__ or constructor.prototype, which nothing here takes' });
  });

  test('a body over the limit is 413 and says the limit, one of another type 415', async () => {
    expectRefused(await post({ project: 'fresh', description: 'x'.repeat(limit) }), 'RESOURCE_EXHAUSTED', { status: 413, message: `The body is larger than ${limit} bytes, the most that is taken here` });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
      expectRefused(await post('project=fresh', { 'content-type': type }), 'INVALID_ARGUMENT', { status: 415 });
    }
  });

  test('an address nobody serves is 404, one that takes another method is 405 and says which', async () => {
    expectRefused(await served.rest('GET', '/api/v1/nothing'), 'NOT_FOUND', { reason: 'ROUTE_NOT_FOUND' });
    expectRefused(await served.rest('GET', '/%E0%A4%A'), 'INVALID_ARGUMENT');
    expectRefused(await served.rest('GET', '/api/v1/projects/%FF'), 'INVALID_ARGUMENT');
    expectRefused(await served.rest('GET', `/api/v1/projects/${'p'.repeat(2000)}`));
    expectRefused(await served.rest('DELETE', '/api/v1/projects/there'), 'UNIMPLEMENTED', { status: 405, headers: expect.objectContaining({ allow: 'GET, HEAD' }) as never });
    expectRefused(await served.rest('PUT', '/api/v1/projects/'), 'UNIMPLEMENTED', { status: 405, headers: expect.objectContaining({ allow: 'POST, GET, HEAD' }) as never });
    // The same address with its colon encoded is no other: it takes what its verb takes.
    expectRefused(await served.rest('GET', '/api/v1/projects/there%3Aarchive'), 'UNIMPLEMENTED', { message: 'This address takes POST only' });
    expectRefused(await served.rest('GET', '/api/v1/projects/the%2Fre'), 'NOT_FOUND', { reason: 'ROUTE_NOT_FOUND' });
    expectRefused(await served.rest('POST', '/health/live', {}), 'UNIMPLEMENTED', { status: 405 });
    expectRefused(await served.rest('POST', '/api/v1/projects/there:explode', {}), 'NOT_FOUND');
    expectRefused(await served.rest('POST', '/api/v1/projects/:archive', { reason: 'x' }), 'NOT_FOUND');
  });

  test('headers that are too large are told as such', async () => {
    const answer = await served.rest('GET', '/api/v1/projects', undefined, { 'x-more': 'x'.repeat(20_000) });
    expectRefused(answer, 'RESOURCE_EXHAUSTED', { status: 431, reason: 'HEADERS_TOO_LARGE' });
  });

  test('what is not even HTTP ends the connection, not the server', async () => {
    const { hostname, port } = new URL(served.api.addresses.rest);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(port), hostname, () => socket.end('HELO tarl\r\n\r\n'));
      socket.on('data', (data) => (text += data.toString())).on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT', reason: 'MALFORMED_REQUEST', detail: expect.stringContaining('HTTP'), traceId: expect.any(String) });
    expect((await callRest(served.api.addresses.rest, 'GET', '/health/live')).answer).toEqual({ live: true });
  });
});

describe('over grpc', () => {
  /** One call with bytes that no client would send. */
  const raw = (path: string, bytes: Buffer, headers: Record<string, string> = {}) =>
    new Promise<{ status: string; message: string }>((resolve, reject) => {
      const session = connectHttp2(`http://${served.api.addresses.grpc}`).on('error', reject);
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', authorization: 'Bearer owner-key', ...headers });
      let found: any = {};
      stream.on('response', (headers) => Object.assign(found, headers)).on('trailers', (headers) => (found = { ...found, ...headers }));
      stream.on('data', () => undefined).on('close', () => (session.close(), resolve({ status: found['grpc-status'], message: found['grpc-message'] }))).on('error', reject);
      stream.end(bytes);
    });
  const framed = (message: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);

  test('a message that does not decode is INVALID_ARGUMENT', async () => {
    expect(await raw('/tarl.projects.v1.Projects/CreateProject', framed(Buffer.from([0x0a, 0x7f, 0x41])))).toMatchObject({ status: '3' });
    expect(served.core.events.length).toBe(before);
  });

  test('a text that is not UTF-8 is INVALID_ARGUMENT', async () => {
    expect(await raw('/tarl.projects.v1.Projects/CreateProject', framed(Buffer.from([0x0a, 0x05, ...Buffer.from('fresh'), 0x12, 0x02, 0xc3, 0x28])))).toMatchObject({ status: '3' });
    expect(served.core.events.length).toBe(before);
  });

  test('a time limit that is none is INVALID_ARGUMENT', async () => {
    const message = framed(Buffer.from([0x0a, 0x05, ...Buffer.from('fresh')]));
    for (const timeout of ['soon', '5', 'S']) expect(await raw('/tarl.projects.v1.Projects/CreateProject', message, { 'grpc-timeout': timeout })).toMatchObject({ status: '3' });
    expect(served.core.events.length).toBe(before);
  });

  test('an rpc nobody serves is UNIMPLEMENTED', async () => {
    expect(await raw('/tarl.projects.v1.Projects/Explode', framed(Buffer.alloc(0)))).toMatchObject({ status: '12' });
  });

  test('a message over the limit is RESOURCE_EXHAUSTED', async () => {
    expectRefused(await served.grpc('CreateProject', { project: 'fresh', description: 'x'.repeat(limit) }), 'RESOURCE_EXHAUSTED', { reason: 'MESSAGE_TOO_LARGE' });
  });

  test('a compressed request is read like any other, and held to the limit unpacked', async () => {
    const client = grpcClient(served.api.addresses.grpc, { 'grpc.default_compression_algorithm': 2, 'grpc.max_send_message_length': -1 });
    expect(await callGrpc(client, 'CreateProject', { project: 'there', description: 'one' })).toMatchObject({ code: 'OK', answer: { changed: false } });
    // grpc-js refuses this itself, without details.
    expectRefused(await callGrpc(client, 'CreateProject', { project: 'fresh', description: 'x'.repeat(limit + 1) }), 'RESOURCE_EXHAUSTED', { reason: undefined });
    client.close();
  });

  test('a call whose time is up ends as that', async () => {
    const waiting = { 'tarl-min-position': '99999999999' };
    expect(await served.grpc('GetProject', { project: 'there' }, waiting, { deadline: Date.now() + 50 })).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});

describe('over graphql', () => {
  const refused = async (body: unknown, code = 'INVALID_ARGUMENT', more: Partial<Outcome> = {}) => expectRefused(await callGraphql(served.api.addresses.graphql, body), code, more);
  test.each(['idempotency-key', 'if-match'])('several commands under one %s are refused before the first takes effect', async (header) => {
    const two = 'mutation { a: createProject(input: { project: "one" }) { position } b: createProject(input: { project: "two" }) { position } }';
    expectRefused({ ...(await served.graphql(two, {}, { [header]: '1' })), status: undefined }, 'INVALID_ARGUMENT', { reason: 'SEVERAL_MUTATIONS' });
  });

  const fields = (count: number) => Array.from({ length: count }, (_, index) => `a${index}: project(project: "there") { project }`).join(' ');

  test.each([
    ['half a query', { query: '{ projects {' }],
    ['no query', {}],
    ['an empty query', { query: '' }],
    ['a query that is no text', { query: { a: 1 } }],
    ['a document as JSON', { query: '{"kind":"Document","definitions":[]}' }],
    ['JSON in place of a query', { query: '5' }],
    ['an unknown field', { query: '{ projects { nodes { secret } } }' }],
    ['a variable of the wrong type', { query: 'query($project: String!) { project(project: $project) { etag } }', variables: { project: 7 } }],
    ['a missing variable', { query: 'query($project: String!) { project(project: $project) { etag } }' }],
    ['variables that are a text', { query: '{ projects { nodes { project } } }', variables: 'x' }],
    ['an operation that is not there', { query: 'query A { projects { nodes { project } } }', operationName: 'B' }],
    ['an unknown input field', { query: create, variables: { input: { project: 'fresh', descripton: 'x' } } }],
    ['half a JSON', '{"query":'],
    ['a number', '7'],
    ['fragments that spread each other', { query: '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }' }],
  ])('%s is refused', async (_what, body) => {
    await refused(body);
  });

  test('a body that is no request of GraphQL is told what is missing', async () => {
    for (const body of [{}, { query: '' }, { query: null }, { query: 5 }, [{ query: '{ __typename }' }, {}]]) await refused(body, 'INVALID_ARGUMENT', { reason: 'INVALID_QUERY', message: 'query is required: the operation, as a text' });
    await refused({ extensions: { persistedQuery: { version: 1, sha256Hash: 'a' } } }, 'INVALID_ARGUMENT', { message: 'query is required: the operation, as a text; no persisted queries are kept here' });
    for (const variables of ['x', [], 7]) await refused({ query: '{ __typename }', variables }, 'INVALID_ARGUMENT', { message: 'variables takes an object' });
    await refused({ query: '{ __typename }', operationName: 7 }, 'INVALID_ARGUMENT', { message: 'operationName takes a text' });
    for (const body of ['7', 'null', '"x"']) await refused(body, 'INVALID_ARGUMENT', { message: 'The body must be a JSON object with a query, or a list of such' });
    const other = await fetch(served.api.addresses.graphql, { method: 'POST', headers: { 'content-type': 'text/plain', authorization: 'Bearer owner-key' }, body: '{ __typename }' });
    expect([other.status, ((await other.json()) as any).errors[0].message]).toEqual([415, 'The body must be JSON, sent as application/json']);
  });

  test('more than the limits allow is refused before it costs anything', async () => {
    await refused({ query: `{ ${fields(61)} }` }, 'INVALID_ARGUMENT', { reason: 'QUERY_ALIASES_LIMIT' });
    await refused({ query: `{ ${fields(1000)} }` }, 'INVALID_ARGUMENT', { reason: 'QUERY_ALIASES_LIMIT' });
    await refused({ query: `{ ${'projects { nodes { project } } '.repeat(61)} }` }, 'INVALID_ARGUMENT', { reason: 'QUERY_FIELDS_LIMIT' });
    await refused({ query: `{ ${'projects { edges { node { '.repeat(5)} project ${'} } }'.repeat(5)} }` }, 'INVALID_ARGUMENT', { reason: 'QUERY_DEPTH_LIMIT' });
    await refused({ query: `{ ${Array.from({ length: 30 }, (_, i) => `a${i}: projects(first: 1000) { nodes { project } }`).join(' ')} }` }, 'INVALID_ARGUMENT', { reason: 'QUERY_COST_LIMIT' });
    await refused({ query: `query($n: Int) { ${Array.from({ length: 30 }, (_, i) => `a${i}: projects(first: $n) { nodes { project } }`).join(' ')} }`, variables: { n: 1000 } }, 'INVALID_ARGUMENT', { reason: 'QUERY_COST_LIMIT' });
    await refused({ query: `{ ...F0 } ${Array.from({ length: 40 }, (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`).join(' ')} fragment F40 on Query { __typename }` }, 'INVALID_ARGUMENT', { reason: 'QUERY_FIELDS_LIMIT' });
    await refused(Array.from({ length: 11 }, () => ({ query: '{ __typename }' })), 'INVALID_ARGUMENT', { reason: 'QUERY_BATCH_LIMIT' });
    await refused({ query: `{ ${' '.repeat(limit)} __typename }` }, 'RESOURCE_EXHAUSTED', { status: 413 });
  });

  test('a key without the permission cannot look at the schema', async () => {
    const query = '{ __schema { types { name } } }';
    expect(await served.graphql(query)).toMatchObject({ code: 'OK' });
    for (let count = 0; count < 4; count++) expect(await served.graphql(query, {}, { authorization: 'Bearer reader-key' })).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  test('a document of several operations runs the one that is asked for, however often it ran before', async () => {
    const query = 'query A { project(project: "there") { project } } query B { project(project: "there") { description } }';
    for (const operationName of ['A', 'A', 'A', 'A', 'B', 'A', 'B']) {
      const { answer } = await callGraphql(served.api.addresses.graphql, { query, operationName });
      expect(Object.keys(answer.project)).toEqual([operationName === 'A' ? 'project' : 'description']);
    }
  });

  test('other methods and addresses are refused', async () => {
    const get = await fetch(`${served.api.addresses.graphql}?query={__typename}`, { headers: { authorization: 'Bearer owner-key' } });
    expect([get.status, get.headers.get('allow'), ((await get.json()) as any).errors[0].extensions.code]).toEqual([405, 'POST', 'UNIMPLEMENTED']);
    const elsewhere = await fetch(served.api.addresses.graphql.replace('/graphql', '/other'), { method: 'POST', headers: { authorization: 'Bearer owner-key' } });
    expect(elsewhere.status).toBe(404);
  });
});
