import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Refusal } from '../../domain/kit/index.js';
import { newTraceparent, traceIdOf } from '../context.js';
import { problemOf } from './problem.js';

/** Answers with a problem, and hangs up, where what came is not even a request that Fastify could be given. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const problem = problemOf(refusalFor(error.code), traceIdOf(newTraceparent()));
  const body = JSON.stringify(problem);
  const { status } = problem;
  if (socket.writable) {
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
  }
  socket.destroy(error);
}

function refusalFor(code: string | undefined): Refusal {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Refusal('DEADLINE_EXCEEDED', 'The request did not arrive in time', { reason: 'REQUEST_TIMEOUT' });
    case 'HPE_HEADER_OVERFLOW':
      return new Refusal('RESOURCE_EXHAUSTED', 'The headers are larger than 16384 bytes', { reason: 'HEADERS_TOO_LARGE' });
    case 'HPE_INVALID_METHOD':
      return new Refusal('INVALID_ARGUMENT', 'The request does not begin with a method of HTTP', { reason: 'MALFORMED_REQUEST' });
    default:
      return new Refusal('INVALID_ARGUMENT', 'What came is not a request of HTTP/1.1', { reason: 'MALFORMED_REQUEST' });
  }
}
