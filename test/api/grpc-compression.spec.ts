import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from 'node:http2';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { callGrpc, grpcClient, testApi, type TestApi } from './support/clients.js';

let served: TestApi;
const description = 'many words, '.repeat(300);

beforeAll(async () => {
  served = await testApi();
  await served.grpc('CreateProject', { project: 'wordy', description });
  await served.grpc('CreateProject', { project: 'terse' });
});
afterAll(() => served.close());

interface Answer {
  readonly status?: string;
  readonly encoding?: string;
  /** The one message, with its flag. */
  readonly message: Buffer;
}

/** One call with a message that is packed already. */
function call(encoding: string, flag: number, packed: Buffer): Promise<Answer> {
  const header = Buffer.from([flag, 0, 0, 0, packed.length]);
  return new Promise((resolve, reject) => {
    const session = connect(`http://${served.api.addresses.grpc}`).on('error', reject);
    const stream = session.request({ ':method': 'POST', ':path': '/tarl.projects.v1.Projects/GetProject', 'content-type': 'application/grpc', te: 'trailers', authorization: 'Bearer owner-key', 'grpc-encoding': encoding });
    const chunks: Buffer[] = [];
    let found: Record<string, unknown> = {};
    stream.on('response', (headers) => (found = { ...found, ...headers })).on('trailers', (headers) => (found = { ...found, ...headers }));
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', reject);
    stream.on('close', () => {
      session.close();
      resolve({ status: found['grpc-status'] as string, encoding: found['grpc-encoding'] as string, message: Buffer.concat(chunks) });
    });
    stream.end(Buffer.concat([header, packed]));
  });
}

/** GetProjectRequest { project }. */
const request = (project: string) => Buffer.from([0x0a, project.length, ...Buffer.from(project)]);

test.each([['gzip', gzipSync, gunzipSync], ['deflate', deflateSync, inflateSync]] as const)('who sends %s gets it back where an answer is long, and a short one as it is', async (encoding, pack, unpack) => {
  const long = await call(encoding, 1, pack(request('wordy')));
  expect(long).toMatchObject({ status: '0', encoding });
  expect(long.message[0]).toBe(1);
  expect(unpack(long.message.subarray(5)).includes(description)).toBe(true);
  expect(long.message.length).toBeLessThan(description.length / 4);
  const short = await call(encoding, 1, pack(request('terse')));
  expect(short.message[0]).toBe(0);
  expect(short.message.includes('terse')).toBe(true);
});

test('who sends plain messages gets plain ones', async () => {
  const plain = await call('identity', 0, request('wordy'));
  expect(plain).toMatchObject({ status: '0', encoding: 'identity' });
  expect(plain.message.includes(description)).toBe(true);
});

test('the usual client reads what it is sent', async () => {
  const client = grpcClient(served.api.addresses.grpc, { 'grpc.default_compression_algorithm': 2 });
  expect(await callGrpc(client, 'GetProject', { project: 'wordy' })).toMatchObject({ code: 'OK', answer: { description } });
  expect(await callGrpc(client, 'GetProject', { project: 'nobody' })).toMatchObject({ code: 'NOT_FOUND', reason: 'PROJECT_NOT_FOUND' });
  client.close();
});

test.each(['gzip', 'deflate'])('a message that does not unpack as %s is the caller’s mistake', async (encoding) => {
  expect(await call(encoding, 1, Buffer.from('no such thing'))).toMatchObject({ status: '3' });
  expect(await call(encoding, 1, gzipSync(request('wordy')).subarray(0, 12))).toMatchObject({ status: '3' });
});
