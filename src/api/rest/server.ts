import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isUtf8 } from 'node:buffer';
import { parseExactly } from '../../platform/rows/exact-json.js';
import { traceIdOf, traceparentOf } from '../context.js';
import { answerClientError } from './client-error.js';
import { encodingFault } from './encoding.js';
import { keepsDigits, parseRows } from './features/bodies.js';
import type { SendFailure } from './guard.js';
import { malformedJson, notJson } from './malformed.js';
import { restError, sendProblem } from './problem.js';
import { headersOf } from './request.js';

/** Fastify as REST and GraphQL use it. What it refuses before a request has an address, such as a broken one, gets the wire's kind of answer too. */
export const fastifyOptions = (maxMessageBytes: number, sendFailure: SendFailure) => ({
  bodyLimit: maxMessageBytes,
  logger: false,
  routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
  clientErrorHandler: answerClientError,
  frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => sendFailure(reply, restError(error), traceIdOf(traceparentOf(headersOf(request)))),
});

/** Fastify under Nest. */
export function restAdapter(maxMessageBytes: number): FastifyAdapter {
  const adapter = new FastifyAdapter(fastifyOptions(maxMessageBytes, sendProblem) as never);
  parseStrictJson(adapter.getInstance() as never);
  parseRows(adapter.getInstance() as never);
  return adapter;
}

/** Takes JSON bodies only, and refuses broken UTF-8 instead of replacing it. */
export function parseStrictJson(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const fault = encodingFault(request);
    if (fault) return done(fault);
    if (body.length === 0) return done(null, undefined);
    if (!isUtf8(body as Buffer)) return done(notJson('it is not UTF-8'));
    const text = body.toString();
    return parseJson(request, text, (error, value) => done(error && malformedJson(text), error || !keepsDigits(request) ? value : parseExactly(text, 3, () => value)));
  });
}
