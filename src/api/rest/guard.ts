import type { FastifyInstance, FastifyReply } from 'fastify';
import { apiKeyOf, basicKeyOf } from '../auth.js';
import { traceIdOf, traceparentOf } from '../context.js';
import type { Core } from '../core.js';
import type { Observer, Wire } from '../observer.js';
import { rememberVisitor } from '../visitors.js';
import { headersOf } from './request.js';

/** A request that is let in without a key. */
const nobody = { actor: 'anonymous', may: () => false };

const isOpen = (path: string) => path === '/health/live' || path === '/health/ready';
const isDocumentation = (path: string) => path === '/openapi.json' || path === '/docs' || path.startsWith('/docs/');

/** How a wire over HTTP answers a request that failed; `challenge` is what WWW-Authenticate asks for. */
export type SendFailure = (reply: FastifyReply, error: unknown, traceId: string, challenge?: string) => void;

/** Lets in whoever has a key, before a body is read; every route of the server stands behind it, health apart. */
export function guardHttp(fastify: FastifyInstance, wire: Wire, core: Pick<Core, 'authenticate'>, observer: Observer, sendFailure: SendFailure): void {
  fastify.addHook('onRequest', async (request, reply) => {
    const header = headersOf(request);
    const traceparent = traceparentOf(header);
    const path = request.url.split('?', 1)[0]!;
    rememberVisitor(request, { caller: nobody, traceparent });
    if (isOpen(path)) return;
    const documentation = isDocumentation(path);
    try {
      const caller = await core.authenticate((documentation ? basicKeyOf(header) : undefined) ?? apiKeyOf(header));
      rememberVisitor(request, { caller, traceparent, onAbort: (listener) => reply.raw.once('close', () => reply.raw.writableFinished || listener()) });
    } catch (error) {
      observer.failed(wire, 'none', error, traceparent);
      // A browser that opens the documentation is asked for the key as a password; nothing else takes HTTP Basic, which
      // browsers would attach to requests that other sites make.
      sendFailure(reply, error, traceIdOf(traceparent), documentation ? 'Basic realm="TARL: any name, the API key as password"' : undefined);
      await reply;
    }
  });
}
