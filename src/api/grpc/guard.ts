import type { Metadata, Server, ServerDuplexStream, ServiceDefinition, ServiceError, UntypedServiceImplementation } from '@grpc/grpc-js';
import { apiKeyOf } from '../auth.js';
import { traceIdOf, type HeaderReader } from '../context.js';
import type { Core } from '../core.js';
import type { Observer } from '../observer.js';
import { nobody, rememberVisitor, Visitor } from '../visitors.js';
import type { AnyCall } from './call.js';
import type { DirectCall } from './direct-call.js';
import { letGoOfRequest } from './let-go.js';
import { grpcError } from './status.js';
import { decodingOr, Undecodable } from './undecodable.js';

/** A handler of grpc-js whatever its shape: unary and client-streaming ones answer through the callback, others through the call. */
export type Handler = (call: any, callback: any) => unknown;

/** An rpc by its handler, with codecs of its own where the general ones would cost more than the work itself. */
export interface HandwrittenRpc {
  readonly handle: Handler;
  readonly requestDeserialize?: (bytes: Buffer) => unknown;
  readonly responseSerialize?: (answer: any) => Buffer;
}

/** A unary rpc behind the guard, for whoever answers its calls. */
export interface GuardedUnary {
  readonly path: string;
  handle(call: DirectCall, callback: (error: ServiceError | null, answer?: unknown) => void): Promise<void>;
  /** Never throws: an Undecodable stands for what does not decode. */
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(answer: unknown): Buffer;
}

/**
 * Serves rpcs behind the guard: a handler runs once the caller's key is known to be good, and is never given a message that
 * does not decode. Gives those that may be answered directly.
 */
export function serveGuarded(server: Server, service: ServiceDefinition, rpcs: Readonly<Record<string, HandwrittenRpc>>, core: Pick<Core, 'authenticate'>, observer: Observer): GuardedUnary[] {
  const methods: Record<string, ServiceDefinition[string]> = {};
  const handlers: Record<string, Handler> = {};
  const unaries: GuardedUnary[] = [];
  for (const [name, method] of Object.entries(service)) {
    const rpc = rpcs[name];
    // What nobody serves is UNIMPLEMENTED; a test names it.
    if (!rpc) continue;
    const { path, requestStream, responseStream } = method;
    const requestDeserialize = decodingOr(rpc.requestDeserialize ?? method.requestDeserialize);
    const responseSerialize = rpc.responseSerialize ?? method.responseSerialize;
    const guarded = behindGuard(path, rpc.handle, requestStream, core, observer);
    methods[name] = { ...method, requestDeserialize, responseSerialize };
    handlers[name] = (call, callback) => guarded(headersOf(call.metadata), call, callback);
    if (requestStream || responseStream) continue;
    handlers[name] = (call, callback) => guarded(headersOf(call.metadata), call, (...reply: unknown[]) => {
      callback(...reply);
      letGoOfRequest(call);
    });
    unaries.push({ path, requestDeserialize, responseSerialize, handle: (call, callback) => guarded(call.header, call, callback) });
  }
  server.addService(methods, handlers as UntypedServiceImplementation);
  return unaries;
}

type Guarded = (header: HeaderReader, call: any, callback: any) => Promise<void>;

function behindGuard(path: string, handler: Handler, requestStream: boolean, core: Pick<Core, 'authenticate'>, observer: Observer): Guarded {
  return async (header, call, callback) => {
    const { metadata } = call as AnyCall;
    // grpc-js calls every call cancelled once it has ended.
    let answered = false;
    const answer = callback && ((...reply: unknown[]) => {
      answered = true;
      callback(...reply);
    });
    const onAbort = (listener: () => void) => (call.cancelled ? listener() : call.on('cancelled', () => answered || listener()));
    let visitor: Visitor | undefined;
    const refuse = (error: unknown) => {
      const { traceparent } = visitor ?? new Visitor(header, nobody);
      observer.failed('grpc', path, error, traceparent);
      const status = grpcError(error, traceIdOf(traceparent));
      if (answer) answer(status);
      else call.emit('error', status);
    };
    try {
      const caller = core.authenticate(apiKeyOf(header));
      visitor = new Visitor(header, caller instanceof Promise ? await caller : caller, onAbort, observer.samples);
      rememberVisitor(metadata, visitor);
      if (requestStream) refuseUndecodable(call, refuse);
      else if (call.request instanceof Undecodable) throw call.request.refusal;
      await handler(call, answer);
    } catch (error) {
      refuse(error);
    }
  };
}

/** Messages of a stream come one by one, each checked on its way into the stream that the handler reads. */
function refuseUndecodable(call: ServerDuplexStream<unknown, unknown>, refuse: (error: unknown) => void): void {
  const push = call.push.bind(call);
  call.push = (message: unknown) => {
    if (!(message instanceof Undecodable)) return push(message);
    refuse(message.refusal);
    return false;
  };
}

/** Reads the metadata of a call as headers; of a repeated entry the first. */
export const headersOf = (metadata: Metadata): HeaderReader => (name) => metadata.get(name)[0]?.toString();
