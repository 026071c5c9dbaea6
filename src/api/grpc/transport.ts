import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import type { sendUnaryData } from '@grpc/grpc-js';
import { firstValueFrom } from 'rxjs';
import type { UnaryCall } from './call.js';
import { rpcPath } from './controller.js';
import type { HandwrittenRpc } from './guard.js';
import { grpcServer, type GrpcParts, type GrpcServer } from './server.js';

/** gRPC as a transport of Nest: its controllers serve the derived rpcs, hand-written ones sit beside them on grpc-js itself. */
export class GrpcTransport extends Server implements CustomTransportStrategy {
  private running: GrpcServer | undefined;

  constructor(private readonly parts: GrpcParts) {
    super();
  }

  /** Only while it listens. */
  get port(): number {
    return this.running!.port;
  }

  listen(listening: (error?: unknown) => void): void {
    grpcServer(this.parts, (service, rpc) => this.derived(service, rpc)).then((server) => {
      this.running = server;
      listening();
    }, listening);
  }

  async close(): Promise<void> {
    await this.running?.close();
  }

  override on(): never {
    throw new Error('The gRPC transport has no events');
  }

  override unwrap<Result>(): Result {
    return this.running as Result;
  }

  /** What a controller serves under this name, undefined where none does. */
  private derived(service: string, rpc: string): HandwrittenRpc | undefined {
    const handler = this.getHandlerByPattern(rpcPath(service, rpc));
    if (!handler) return undefined;
    return {
      handle: async (call: UnaryCall<object>, callback: sendUnaryData<unknown>) => {
        callback(null, await firstValueFrom(this.transformToObservable(await handler(call.request, call))));
      },
    };
  }
}
