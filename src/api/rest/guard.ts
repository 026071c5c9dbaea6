import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Caller } from '../../commands/kit/command.js';
import { apiKeyOf, basicKeyOf } from '../auth.js';
import { traceIdOf } from '../context.js';
import type { Core } from '../core.js';
import type { Observer, Wire } from '../observer.js';
import { asOfText, nobody, parkedKeysText, rememberVisitor, Visitor, visitorOf } from '../visitors.js';
import { headersOf } from './request.js';

const pathOf = (url: string) => {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
};
const isOpen = (path: string) => path === '/health/live' || path === '/health/ready' || path === '/health';
const isDocumentation = (path: string) => path === '/openapi.json' || path === '/docs' || path.startsWith('/docs/');

/** How a wire over HTTP answers a request that failed; `challenge` is what WWW-Authenticate asks for. */
export type SendFailure = (reply: FastifyReply, error: unknown, traceId: string, challenge?: string) => void;

/** A response that is closed before all of it was written has lost its client. */
const whenGone = ({ raw }: FastifyReply) => (listener: () => void): void => {
  if (raw.closed) listener();
  else raw.once('close', () => raw.writableFinished || listener());
};

/** Lets in whoever has a key, before a body is read; every route of the server stands behind it, health apart. */
export function guardHttp(fastify: FastifyInstance, wire: Wire, core: Pick<Core, 'authenticate'>, observer: Observer, sendFailure: SendFailure): void {
  // With a callback and not a promise: most keys are known at once, and then nothing waits.
  fastify.addHook('onRequest', (request, reply, done) => {
    const header = headersOf(request);
    const path = pathOf(request.url);
    const enter = (caller: Caller) => {
      rememberVisitor(request, new Visitor(header, caller, whenGone(reply), observer.samples));
      done();
    };
    const refuse = (error: unknown) => {
      const { traceparent } = visitorOf(request);
      observer.failed(wire, 'none', error, traceparent);
      // A browser that opens the documentation is asked for the key as a password; nothing else takes HTTP Basic, which
      // browsers would attach to requests that other sites make.
      sendFailure(reply, error, traceIdOf(traceparent), documentation ? 'Basic realm="TARL: any name, the API key as password"' : undefined);
    };
    rememberVisitor(request, new Visitor(header, nobody));
    if (isOpen(path)) return done();
    const documentation = isDocumentation(path);
    const caller = core.authenticate((documentation ? basicKeyOf(header) : undefined) ?? apiKeyOf(header));
    if (caller instanceof Promise) caller.then(enter, refuse);
    else enter(caller);
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const visitor = visitorOf(request);
    const parkedKeys = parkedKeysText(visitor);
    if (parkedKeys !== undefined) reply.header('tarl-parked-keys', parkedKeys);
    const asOf = asOfText(visitor);
    if (asOf !== undefined) reply.header('tarl-as-of', asOf);
    done(null, payload);
  });
}
