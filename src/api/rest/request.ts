import type { FastifyRequest } from 'fastify';
import { contextFrom, type HeaderReader } from '../context.js';
import type { WireContext } from '../operations.js';
import { visitorOf } from '../visitors.js';

/** The context of a guarded request over HTTP: caller, keys, minimum position, trace, and a signal that fires when the client goes. */
export const restContext = (request: FastifyRequest): WireContext => contextFrom(visitorOf(request));

/** Reads the headers of a request; of a repeated one the first. */
export const headersOf = (request: FastifyRequest): HeaderReader => (name) => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};
