import { HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../domain/kit/index.js';
import { rowsMediaTypes } from './features/bodies.js';
import { failureOf, refusalOf, wireCodes, type Failure } from '../errors.js';

/** Some refusals of HTTP itself have a status more telling than their code's. */
const statusOfReason: Readonly<Record<string, number>> = { METHOD_NOT_ALLOWED: 405, REQUEST_TIMEOUT: 408, BODY_TOO_LARGE: 413, UNSUPPORTED_MEDIA_TYPE: 415, URI_TOO_LONG: 414, HEADERS_TOO_LARGE: 431, NOT_ACCEPTABLE: 406 };

/** What a request without a key is asked for. */
export const bearerChallenge = 'Bearer realm="TARL"';

/** Answers with a problem (RFC 9457). */
export function sendProblem(reply: FastifyReply, error: unknown, traceId: string, challenge = bearerChallenge): void {
  const problem = problemOf(error, traceId);
  if (problem.status === 401) reply.header('www-authenticate', challenge);
  reply.status(problem.status).type('application/problem+json').send(problem);
}

/** The body of such an answer. */
export function problemOf(error: unknown, traceId: string) {
  const failure = failureOf(restError(error));
  return {
    type: 'about:blank',
    title: wireCodes[failure.code].title,
    status: httpStatusOf(failure),
    detail: failure.message,
    code: failure.code,
    ...(failure.reason !== undefined && { reason: failure.reason }),
    ...(failure.fields.length > 0 && { fields: failure.fields }),
    ...(Object.keys(failure.metadata).length > 0 && { metadata: failure.metadata }),
    traceId,
  };
}

/** The status of a failure over HTTP. */
export const httpStatusOf = ({ code, reason }: Failure): number => (reason !== undefined ? statusOfReason[reason] : undefined) ?? wireCodes[code].http;

/** What Fastify and Nest throw about a request they cannot read, as refusals of ours; everything else as it came. */
export function restError(error: unknown, request?: FastifyRequest): unknown {
  if (refusalOf(error)) return error;
  if (error instanceof HttpException) return ofHttpStatus(error.getStatus(), error.message, request) ?? error;
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  return (typeof code === 'string' && code.startsWith('FST_') && ofHttpStatus(statusCode ?? 500, (error as Error).message, request)) || error;
}

function ofHttpStatus(status: number, message: string, request?: FastifyRequest): Refusal | undefined {
  switch (status) {
    case 404:
      return new Refusal('NOT_FOUND', 'There is nothing at this address', { reason: 'ROUTE_NOT_FOUND' });
    case 413:
      return new Refusal('RESOURCE_EXHAUSTED', `The body is ${request ? `larger than ${request.routeOptions.bodyLimit} bytes, the most that is taken here` : 'too large'}`, { reason: 'BODY_TOO_LARGE' });
    case 414:
      return new Refusal('INVALID_ARGUMENT', 'The address is too long', { reason: 'URI_TOO_LONG' });
    case 415:
      return new Refusal('INVALID_ARGUMENT', `The body must be JSON, sent as application/json; where rows are taken, also ${rowsMediaTypes.join(', ')}`, { reason: 'UNSUPPORTED_MEDIA_TYPE' });
    default:
      return status >= 400 && status < 500 ? new Refusal('INVALID_ARGUMENT', message, { reason: 'BAD_REQUEST' }) : undefined;
  }
}
