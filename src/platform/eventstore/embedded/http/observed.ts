import type { EventEmitter } from 'node:events';
import { status, type MethodDefinition, type sendUnaryData, type ServiceDefinition, type UntypedHandleCall, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Measures } from './measures.js';

type Method = MethodDefinition<unknown, unknown>;
type AnyHandler = (call: EventEmitter & { request?: unknown }, reply?: sendUnaryData<unknown>) => void;

/** The same service, with each of its calls counted and timed. */
export function observed(definition: ServiceDefinition, service: UntypedServiceImplementation, measures: Measures): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(definition).flatMap(([name, method]) => {
      const handler = service[name];
      return handler === undefined ? [] : [[name, observe(method, handler as AnyHandler, measures) as UntypedHandleCall]];
    }),
  );
}

function observe(method: Method, handle: AnyHandler, measures: Measures): AnyHandler {
  const name = nameOf(method.path);
  return (call, reply) => {
    const { stream } = (call.request ?? {}) as { stream?: string };
    // A stream lasts as long as its client likes: appends and reads tell by themselves how long they took.
    const isTimed = !method.requestStream && !method.responseStream;
    const end = once(measures.begin(name, stream, isTimed));
    if (reply === undefined) {
      call.once('finish', () => end(status.OK));
      call.once('error', (error: { code?: number }) => end(error.code ?? status.UNKNOWN));
    }
    call.once('cancelled', () => end(status.CANCELLED));
    handle(
      call,
      reply && ((error, ...rest) => {
        end(error === null ? status.OK : ((error as { code?: number }).code ?? status.UNKNOWN));
        reply(error, ...rest);
      }),
    );
  };
}

/** `Streams/Read` for the path `/event_store.client.streams.Streams/Read`. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

function once(end: (code: number) => void): (code: number) => void {
  let hasEnded = false;
  return (code) => {
    if (!hasEnded) end(code);
    hasEnded = true;
  };
}
