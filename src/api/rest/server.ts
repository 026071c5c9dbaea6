import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../domain/kit/index.js';

/** Fastify as REST and GraphQL use it. */
export const fastifyOptions = (maxMessageBytes: number) => ({ bodyLimit: maxMessageBytes, logger: false, routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 } }) as const;

/** Fastify under Nest. */
export function restAdapter(maxMessageBytes: number): FastifyAdapter {
  const adapter = new FastifyAdapter(fastifyOptions(maxMessageBytes));
  parseStrictJson(adapter.getInstance() as never);
  return adapter;
}

/** Takes JSON bodies only, and refuses broken UTF-8 instead of replacing it. */
export function parseStrictJson(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    if (!isUtf8(body as Buffer)) return done(malformed('it is not UTF-8'));
    return parseJson(request, body.toString(), (error, value) => done(error && malformed(error.message), value));
  });
}

const malformed = (why: string) => new Refusal('INVALID_ARGUMENT', `The body is not JSON: ${why}`, { reason: 'MALFORMED_JSON' });
