import { Server, ServerCredentials, type MethodDefinition } from '@grpc/grpc-js';
import fastify from 'fastify';
import mercurius from 'mercurius';
import type { AddressInfo } from 'node:net';

/**
 * A bare server that answers a constant, in a process of its own: `node stub.js rest|graphql|grpc|collector <constant>`. It prints its port.
 * The constant is JSON for REST and GraphQL, base64 for gRPC (`<path> <base64>`).
 */
const [, , wire, constant = '', grpcPath = ''] = process.argv;

const servers: Record<string, () => Promise<number>> = {
  rest: async () => {
    const app = fastify();
    const answer: unknown = JSON.parse(constant);
    app.post('/', async () => answer);
    await app.listen({ port: 0, host: '127.0.0.1' });
    return (app.server.address() as AddressInfo).port;
  },
  collector: async () => {
    const app = fastify();
    app.addContentTypeParser('*', (_, payload, done) => payload.on('end', () => done(null)).resume());
    app.post('/v1/traces', async () => '');
    await app.listen({ port: 0, host: '127.0.0.1' });
    return (app.server.address() as AddressInfo).port;
  },
  graphql: async () => {
    const { schema, field, answer } = JSON.parse(constant) as { schema: string; field: string; answer: unknown };
    const app = fastify();
    await app.register(mercurius, { schema, jit: 1, resolvers: { Query: { [field]: async () => answer } } });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return (app.server.address() as AddressInfo).port;
  },
  grpc: () => {
    const answer = Buffer.from(constant, 'base64');
    const bytes = (value: Buffer) => value;
    const method: MethodDefinition<Buffer, Buffer> = {
      path: grpcPath, requestStream: false, responseStream: false,
      requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes,
    };
    const server = new Server();
    server.addService({ constant: method }, { constant: (_: unknown, reply: (error: null, value: Buffer) => void) => reply(null, answer) });
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
    });
  },
};

console.log(await servers[wire!]!());
// Ends with the bench, however that ends.
process.stdin.on('end', () => process.exit()).resume();
