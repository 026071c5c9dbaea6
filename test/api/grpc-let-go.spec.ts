import { expect, test } from '@jest/globals';
import { Client, credentials, Server, ServerCredentials, type MethodDefinition, type ServerUnaryCall } from '@grpc/grpc-js';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { serveGuarded } from '../../src/api/grpc/guard.js';
import { letGoWhenClosed } from '../../src/api/grpc/let-go.js';

const bytes = (value: Buffer) => value;
const echo: MethodDefinition<Buffer, Buffer> = { path: '/test/Echo', requestStream: false, responseStream: false, requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes };

/** One call of an echo behind the guard; gives the server's side of it after its end. */
async function endedCall(): Promise<{ call: ServerUnaryCall<Buffer, Buffer>; stream: Duplex }> {
  const server = new Server({ interceptors: [letGoWhenClosed] });
  const seen = Promise.withResolvers<{ call: ServerUnaryCall<Buffer, Buffer>; stream: Duplex; closed: Promise<unknown> }>();
  const handle = (call: ServerUnaryCall<Buffer, Buffer>, answer: (error: null, reply: Buffer) => void) => {
    const { stream } = (call as unknown as { call: { stream: Duplex } }).call;
    seen.resolve({ call, stream, closed: once(stream, 'close') });
    answer(null, call.request);
  };
  serveGuarded(server, { Echo: echo }, { Echo: { handle } }, { authenticate: async () => ({ actor: 'somebody', may: () => true }) }, { samples: () => false } as never);
  const port = await new Promise<number>((resolve, reject) => server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const reply = await new Promise<Buffer | undefined>((resolve, reject) => client.makeUnaryRequest('/test/Echo', bytes, bytes, Buffer.from('hello'), (error, value) => (error ? reject(error) : resolve(value))));
  expect(reply?.toString()).toBe('hello');
  const { call, stream, closed } = await seen.promise;
  await closed;
  client.close();
  server.forceShutdown();
  return { call, stream };
}

test('what outlives an answered call holds nothing of it, or every call would become old', async () => {
  const { call, stream } = await endedCall();
  expect({ request: call.request, metadata: call.metadata, inner: (call as unknown as { call?: object }).call, listeners: call.eventNames() }).toEqual({ listeners: [] });
  expect([stream.listenerCount('data'), stream.listenerCount('end')]).toEqual([0, 0]);
});
