import { Catch, Controller, UseFilters, type RpcExceptionFilter, type Type } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { CommandReply } from '../../commands/kit/command.js';
import { adapterClass, addMethod } from '../decorate.js';
import { Dispatcher } from '../dispatcher.js';
import type { Operation } from '../operations.js';
import { grpcContext, sendVersion, type UnaryCall } from './call.js';
import { inputOfMessage } from './input.js';

/** Errors leave Nest as they are; the guard says them in gRPC's words. */
@Catch()
class AsItIs implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** The path of an rpc, under which Nest knows its handler: `/tarl.projects.v1.Projects/CreateProject`. */
export const rpcPath = (service: string, rpc: string): string => `/${service}/${rpc}`;

/** The unary rpcs of a domain, derived from its commands and queries. */
export function grpcController(domain: string, operations: readonly Operation[]): Type {
  const GrpcController = adapterClass<[Dispatcher]>(`${domain}GrpcController`, Controller(), [Dispatcher]);
  UseFilters(AsItIs)(GrpcController);
  for (const operation of operations) {
    const readInput = inputOfMessage(operation.inputFields);
    addMethod(
      GrpcController,
      operation.camelName,
      async function (request: object, call: UnaryCall<object>) {
        const [dispatcher] = this.dependencies as [Dispatcher];
        const answer = await dispatcher.run('grpc', operation, () => readInput(request), grpcContext(call));
        sendVersion(call, answer as Partial<CommandReply>);
        return answer;
      },
      [MessagePattern(rpcPath(operation.domain.service, operation.name))],
      [Payload(), Ctx()],
    );
  }
  return GrpcController;
}
