import { ServerInterceptingCall, type Metadata, type ServerInterceptor } from '@grpc/grpc-js';
import { Refusal } from '../../domain/kit/index.js';
import { apiKeyOf } from '../auth.js';
import { traceIdOf, traceparentOf, type HeaderReader } from '../context.js';
import type { Core } from '../core.js';
import type { Observer } from '../observer.js';
import { rememberVisitor } from '../visitors.js';
import { grpcError } from './status.js';
import { Undecodable } from './undecodable.js';

const open = '/grpc.health.v1.Health/';

/** Lets in whoever has a key, before any message is read; every service on the server stands behind it, health apart. */
export function grpcGuard(core: Pick<Core, 'authenticate'>, observer: Observer): ServerInterceptor {
  return (method, call) => {
    if (method.path.startsWith(open)) return new ServerInterceptingCall(call);
    let traceparent: string | undefined;
    const refuse = (error: unknown) => {
      observer.failed('grpc', method.path, error, traceparent);
      call.sendStatus(grpcError(error, traceIdOf(traceparent ?? '')));
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const header = headersOf(metadata);
            const trace = (traceparent = traceparentOf(header));
            core.authenticate(apiKeyOf(header)).then((caller) => {
              rememberVisitor(metadata, { caller, traceparent: trace });
              proceed(metadata);
            }).catch(refuse);
          },
          onReceiveMessage: (message, proceed) => {
            if (message instanceof Undecodable) refuse(new Refusal('INVALID_ARGUMENT', 'The message does not decode as what this rpc takes', { reason: 'INVALID_MESSAGE' }));
            else proceed(message);
          },
        }),
    });
  };
}

/** Reads the metadata of a call as headers; of a repeated entry the first. */
export const headersOf = (metadata: Metadata): HeaderReader => (name) => metadata.get(name)[0]?.toString();
