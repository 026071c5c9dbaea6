import { Client, credentials, Metadata, status, type ClientDuplexStream, type ClientReadableStream, type ClientWritableStream, type ServiceError } from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import { reflect } from '../api/grpc/protos.js';
import { statusDetails } from '../api/grpc/status.js';
import { CommandFailure } from './exit-codes.js';
import { refused, unreachable } from './failures.js';
import type { LocalRun } from './local-run.js';

const largestMessage = 64 * 1024 * 1024;

/**
 * The rpcs of one service. Messages go to the wire as they stand, without the copy that proto-loader makes of each, so
 * that columns of values are encoded once; answers come as plain objects with 64-bit integers as text.
 */
export class ServiceClient {
  private readonly client: Client;
  private readonly service: protobuf.Service;
  private readonly metadata = new Metadata();

  constructor(private readonly connection: LocalRun, proto: string, service: string) {
    this.client = new Client(connection.addresses.grpc, credentials.createInsecure(), {
      'grpc.max_receive_message_length': largestMessage,
      'grpc.max_send_message_length': largestMessage,
    });
    this.service = reflect([proto]).lookupService(service);
    this.metadata.set('authorization', `Bearer ${connection.key}`);
  }

  /** One request, one answer. `minPosition` asks for an answer no older than that. */
  unary<Reply>(rpc: string, request: object, { minPosition }: { minPosition?: string } = {}): Promise<Reply> {
    const { path, encode, decode } = this.method(rpc);
    const metadata = this.metadata.clone();
    if (minPosition !== undefined) metadata.set('tarl-min-position', minPosition);
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(path, encode, decode, request, metadata, (error, reply) => (error ? reject(this.failureOf(error)) : resolve(reply as Reply)));
    });
  }

  /** One request, answers one after another. */
  answers<Reply>(rpc: string, request: object): ClientReadableStream<Reply> {
    const { path, encode, decode } = this.method(rpc);
    return this.client.makeServerStreamRequest(path, encode, decode as (bytes: Buffer) => Reply, request, this.metadata);
  }

  /** Requests one after another, one answer. */
  requests<Request extends object, Reply>(rpc: string): { call: ClientWritableStream<Request>; reply: Promise<Reply> } {
    const { path, encode, decode } = this.method(rpc);
    const { promise: reply, resolve, reject } = Promise.withResolvers<Reply>();
    const call = this.client.makeClientStreamRequest(path, encode, decode as (bytes: Buffer) => Reply, this.metadata, (error, answer) => (error ? reject(this.failureOf(error)) : resolve(answer as Reply)));
    return { call, reply };
  }

  /** Requests and answers at once. */
  duplex<Request extends object, Reply>(rpc: string): ClientDuplexStream<Request, Reply> {
    const { path, encode, decode } = this.method(rpc);
    return this.client.makeBidiStreamRequest(path, encode, decode as (bytes: Buffer) => Reply, this.metadata);
  }

  close(): void {
    this.client.close();
  }

  /** An error of a call as a sentence with its code and the fields at fault. */
  failureOf(error: ServiceError): CommandFailure {
    // Without an answer of ours there are no details: then it is the connection that failed.
    if (error.code === status.UNAVAILABLE && error.metadata?.get('grpc-status-details-bin').length === 0) return unreachable(this.connection.addresses.grpc, error);
    return refused({ code: status[error.code] ?? 'UNKNOWN', message: error.details, ...statusDetails(error) });
  }

  private method(rpc: string) {
    const { resolvedRequestType, resolvedResponseType } = this.service.methods[rpc]!.resolve() as protobuf.Method;
    return {
      path: `/${this.service.fullName.slice(1)}/${rpc}`,
      encode: (message: object) => Buffer.from(resolvedRequestType!.encode(message).finish()),
      decode: (bytes: Buffer): unknown => resolvedResponseType!.toObject(resolvedResponseType!.decode(bytes), { longs: String, enums: String, defaults: true }),
    };
  }
}
