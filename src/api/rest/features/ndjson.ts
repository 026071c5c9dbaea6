import type { FastifyInstance } from 'fastify';
import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../../domain/kit/index.js';

/** A body of one JSON value a line. */
export class NdjsonBody {
  constructor(readonly values: readonly unknown[]) {}
}

/** Takes bodies of one JSON value a line; empty lines count for nothing. */
export function parseNdjson(fastify: FastifyInstance): void {
  fastify.addContentTypeParser('application/x-ndjson', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, new NdjsonBody(linesOf(body as Buffer)));
    } catch (error) {
      done(error as Error);
    }
  });
}

function linesOf(body: Buffer): unknown[] {
  if (!isUtf8(body)) throw malformed('it is not UTF-8');
  return body
    .toString()
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [valueOf(line, index)]));
}

function valueOf(line: string, index: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw malformed(`line ${index + 1}: ${(error as Error).message}`);
  }
}

const malformed = (why: string) => new Refusal('INVALID_ARGUMENT', `The body is not NDJSON: ${why}`, { reason: 'MALFORMED_JSON' });
