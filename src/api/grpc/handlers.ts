import type { handleUnaryCall } from '@grpc/grpc-js';
import type { CommandReply } from '../../commands/kit/command.js';
import { traceIdOf } from '../context.js';
import type { Dispatcher } from '../dispatcher.js';
import type { Operation } from '../operations.js';
import { visitorOf } from '../visitors.js';
import { grpcContext, sendVersion } from './call.js';
import { inputOfMessage } from './input.js';
import type { HandwrittenRpc } from './guard.js';
import { grpcError } from './status.js';

/** The unary rpcs of a service, derived from its commands and queries. */
export function derivedRpcs(operations: readonly Operation[], dispatcher: Dispatcher): Record<string, HandwrittenRpc> {
  return Object.fromEntries(operations.map((operation) => [operation.name, { handle: unary(operation, dispatcher) }]));
}

function unary(operation: Operation, dispatcher: Dispatcher): handleUnaryCall<object, unknown> {
  const readInput = inputOfMessage(operation.inputFields);
  return async (call, callback) => {
    try {
      const answer = await dispatcher.run('grpc', operation, () => readInput(call.request), grpcContext(call));
      sendVersion(call, answer as Partial<CommandReply>);
      callback(null, answer);
    } catch (error) {
      callback(grpcError(error, traceIdOf(visitorOf(call.metadata).traceparent)));
    }
  };
}
