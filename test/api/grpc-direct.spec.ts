import { afterEach, expect, test } from '@jest/globals';
import { Metadata, Server, ServerCredentials, type MethodDefinition } from '@grpc/grpc-js';
import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type ServerHttp2Stream } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { grpcContext } from '../../src/api/grpc/call.js';
import { compression } from '../../src/api/grpc/compression.js';
import { DirectCall } from '../../src/api/grpc/direct-call.js';
import { answerDirectly } from '../../src/api/grpc/direct.js';
import { serveGuarded, type Handler } from '../../src/api/grpc/guard.js';
import { timeouts } from '../../src/api/grpc/timeouts.js';

const bytes = (value: Buffer) => value;
const path = '/test/Echo';
const echo: MethodDefinition<Buffer, Buffer> = { path, requestStream: false, responseStream: false, requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes };
const limit = 64 * 1024;

let close = () => undefined as void;
afterEach(() => close());

/** A server with one rpc behind the guard, a connection to it, and what it counts as failed. */
async function serving(handle: Handler): Promise<{ session: ClientHttp2Session; failures: unknown[] }> {
  const failures: unknown[] = [];
  const server = new Server({ interceptors: [compression, timeouts] });
  const observer = { samples: () => false, failed: (_wire: string, _path: string, error: unknown) => void failures.push(error) };
  const unaries = serveGuarded(server, { Echo: echo }, { Echo: { handle } }, { authenticate: async () => ({ actor: 'somebody', may: () => true }) }, observer as never);
  const port = await new Promise<number>((resolve, reject) => server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  answerDirectly(server, unaries, limit);
  const session = connect(`http://127.0.0.1:${port}`);
  close = () => {
    session.destroy();
    server.forceShutdown();
  };
  return { session, failures };
}

const framed = (message: Buffer | string, flag = 0): Buffer => {
  const frame = Buffer.concat([Buffer.from([flag, 0, 0, 0, 0]), Buffer.from(message)]);
  frame.writeUInt32BE(frame.length - 5, 1);
  return frame;
};

const begin = (session: ClientHttp2Session, headers: Record<string, string> = {}): ClientHttp2Stream =>
  session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', authorization: 'Bearer key', ...headers });

interface Answer {
  readonly headers: Record<string, unknown>;
  readonly message: Buffer;
}

/** Everything that came back: headers and trailers as one, and the message without its frame. */
const answerOf = (stream: ClientHttp2Stream): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = {};
    const chunks: Buffer[] = [];
    const note = (more: object) => void Object.assign(headers, more);
    stream.on('response', note).on('trailers', note).on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', reject);
    stream.on('close', () => resolve({ headers, message: Buffer.concat(chunks).subarray(5) }));
  });

function ask(session: ClientHttp2Session, sent: Buffer, headers?: Record<string, string>): Promise<Answer> {
  const stream = begin(session, headers);
  stream.end(sent);
  return answerOf(stream);
}

const back: Handler = (call, answer) => answer(null, call.request);

test('grpc-js still leaves plain unary calls to us', async () => {
  const seen: unknown[] = [];
  const { session } = await serving((call, answer) => (seen.push(call), back(call, answer)));
  const { headers, message } = await ask(session, framed('hello'));
  expect(message.toString()).toBe('hello');
  expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc+proto', 'grpc-encoding': 'identity', 'grpc-accept-encoding': 'identity,deflate,gzip', 'grpc-status': '0', 'grpc-message': 'OK' });
  expect(seen).toEqual([expect.any(DirectCall)]);
});

test('a packed message goes the way of grpc-js, and so does a time limit that is none', async () => {
  const seen: unknown[] = [];
  const { session } = await serving((call, answer) => (seen.push(call), back(call, answer)));
  expect((await ask(session, framed(gzipSync('hello'), 1), { 'grpc-encoding': 'gzip' })).message.toString()).toBe('hello');
  expect(seen).toEqual([expect.anything()]);
  expect(seen[0]).not.toBeInstanceOf(DirectCall);
  expect((await ask(session, framed('hello'), { 'grpc-timeout': 'soon' })).headers['grpc-status']).toBe('3');
});

test('a message that comes in pieces is read whole', async () => {
  const { session } = await serving(back);
  const message = Buffer.alloc(limit, 'abc');
  const stream = begin(session);
  const answer = answerOf(stream);
  const frame = framed(message);
  for (const [from, to] of [[0, 3], [3, 20_000], [20_000, frame.length]]) {
    await new Promise((written) => stream.write(frame.subarray(from, to), written));
    await turn();
  }
  stream.end();
  expect((await answer).message.equals(message)).toBe(true);
});

test.each([['none', Buffer.alloc(0)], ['half a one', framed('hello').subarray(0, 7)], ['two', Buffer.concat([framed('a'), framed('b')])]])('an rpc of one message that is sent %s refuses, and the log knows', async (_, sent) => {
  const { session, failures } = await serving(back);
  expect((await ask(session, sent)).headers).toMatchObject({ 'grpc-status': '12', 'grpc-message': expect.stringMatching('one%20message') });
  expect(failures).toEqual([expect.objectContaining({ code: 'UNIMPLEMENTED' })]);
});

test('a message that says it is packed, where no packing is named, is not taken for a plain one', async () => {
  const { session, failures } = await serving(back);
  expect((await ask(session, framed('hello', 1))).headers).toMatchObject({ 'grpc-status': '3', 'grpc-message': expect.stringContaining('does%20not%20decode') });
  expect(failures).toEqual([expect.objectContaining({ code: 'INVALID_ARGUMENT' })]);
});

test('a message over the limit is refused before it has come, and the connection goes on', async () => {
  const { session } = await serving(back);
  const stream = begin(session);
  const answer = answerOf(stream);
  stream.write(framed(Buffer.alloc(4 * limit)));
  await new Promise((resolve) => stream.once('response', resolve));
  stream.end();
  expect((await answer).headers).toMatchObject({ 'grpc-status': '8', 'grpc-message': expect.stringContaining(`${limit}`) });
  expect((await ask(session, framed('hello'))).message.toString()).toBe('hello');
});

test('an answer over the limit, or one that cannot be written, is refused and logged', async () => {
  const { session, failures } = await serving((_call, answer) => answer(null, Buffer.alloc(limit + 1)));
  expect((await ask(session, framed('hello'))).headers['grpc-status']).toBe('8');
  close();
  const second = await serving((_call, answer) => answer(null, undefined));
  expect((await ask(second.session, framed('hello'))).headers['grpc-status']).toBe('13');
  expect([...failures, ...second.failures]).toEqual([expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' }), expect.any(TypeError)]);
});

test('metadata goes out with an answer, and details with a refusal', async () => {
  const { session } = await serving((call, answer) => {
    const metadata = new Metadata();
    metadata.set('tarl-position', '7');
    call.sendMetadata(metadata);
    if (call.request.length > 0) return answer(null, call.request);
    throw new Error('no such thing');
  });
  expect((await ask(session, framed('hello'))).headers).toMatchObject({ 'tarl-position': '7', 'grpc-status': '0' });
  expect((await ask(session, framed(''))).headers).toMatchObject({ 'grpc-status': '13', 'grpc-status-details-bin': expect.any(String) });
});

/** A handler that never answers, and what its signal says. */
function silent() {
  const ended = Promise.withResolvers<unknown>();
  const begun = Promise.withResolvers<void>();
  const handle: Handler = (call) => {
    const { signal, deadline } = grpcContext(call);
    signal!.addEventListener('abort', () => ended.resolve(deadline));
    begun.resolve();
  };
  return { handle, ended: ended.promise, begun: begun.promise };
}

test('when the time is up the caller is told, and the work ends', async () => {
  const { handle, ended } = silent();
  const { session } = await serving(handle);
  const before = Date.now();
  expect((await ask(session, framed('hello'), { 'grpc-timeout': '500m' })).headers['grpc-status']).toBe('4');
  expect(await ended).toBeGreaterThanOrEqual(before + 500);
});

test('when the time is up before the message has come, nothing begins', async () => {
  let begun = 0;
  const { session } = await serving((call, answer) => (begun++, back(call, answer)));
  const stream = begin(session, { 'grpc-timeout': '20m' });
  const answer = answerOf(stream);
  await new Promise((resolve) => stream.once('response', resolve));
  stream.end(framed('hello'));
  expect((await answer).headers['grpc-status']).toBe('4');
  // The server has read the late message once it answers what came after it.
  await ask(session, framed('hello'));
  expect(begun).toBe(1);
});

test('a time limit longer than any timer is none', async () => {
  const { session } = await serving(back);
  expect((await ask(session, framed('hello'), { 'grpc-timeout': '99999999H' })).headers['grpc-status']).toBe('0');
});

test('the work ends when the client goes', async () => {
  const { handle, begun, ended } = silent();
  const { session } = await serving(handle);
  const stream = begin(session).on('error', () => undefined);
  stream.end(framed('hello'));
  await begun;
  stream.close(8);
  expect(await ended).toBeUndefined();
});

test('the stream, which outlives its call, holds nothing of it, or every call would become old', async () => {
  const streams: ServerHttp2Stream[] = [];
  const { session } = await serving((call, answer) => (streams.push(call.stream), back(call, answer)));
  await ask(session, framed('hello'));
  const [stream] = streams;
  if (!stream!.closed || !stream!.destroyed) await once(stream!, 'close');
  await turn();
  const held = Object.getOwnPropertySymbols(stream!).map((symbol) => (stream as unknown as Record<symbol, unknown>)[symbol]);
  expect(held.filter((value) => value instanceof DirectCall)).toEqual([]);
});
