import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { Controller, type Type } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { CommandReply } from '../../commands/kit/command.js';
import { traceIdOf } from '../context.js';
import { adapterClass, addMethod } from '../decorate.js';
import { Dispatcher } from '../dispatcher.js';
import type { Operation } from '../operations.js';
import { visitorOf } from '../visitors.js';
import { grpcContext, sendVersion } from './call.js';
import { grpcError } from './status.js';

/** The unary rpcs of a service, derived from its commands and queries. */
export function grpcController(service: string, operations: readonly Operation[]): Type {
  const GrpcController = adapterClass<[Dispatcher]>(`${service.split('.').at(-1)}GrpcController`, Controller(), [Dispatcher]);
  for (const operation of operations) {
    addMethod(
      GrpcController,
      operation.camelName,
      async function (message: object, _metadata: Metadata, call: ServerUnaryCall<object, unknown>) {
        const [dispatcher] = this.dependencies as [Dispatcher];
        try {
          const answer = await dispatcher.run('grpc', operation, () => message, grpcContext(call));
          sendVersion(call, answer as Partial<CommandReply>);
          return answer;
        } catch (error) {
          throw grpcError(error, traceIdOf(visitorOf(call.metadata).traceparent));
        }
      },
      [GrpcMethod(service, operation.name)],
      [],
    );
  }
  return GrpcController;
}
