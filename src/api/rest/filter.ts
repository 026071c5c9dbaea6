import { Catch, Inject, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../domain/kit/index.js';
import { traceIdOf } from '../context.js';
import { Observer } from '../observer.js';
import { OPERATIONS, type Operation } from '../operations.js';
import { visitorOf } from '../visitors.js';
import { openApiDocument } from './docs-controller.js';
import { pathMatcher } from './paths.js';
import { restError, sendProblem } from './problem.js';

/** Turns whatever a REST request ends with into a problem, and logs what no operation has logged yet. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private addresses?: readonly Address[];

  constructor(
    @Inject(Observer) private readonly observer: Observer,
    @Inject(OPERATIONS) private readonly operations: readonly Operation[],
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const { traceparent } = visitorOf(request);
    const refused = error instanceof NotFoundException ? this.nothingHere(request, reply) : restError(error, request);
    this.observer.failed('rest', 'none', refused, traceparent);
    sendProblem(reply, refused, traceIdOf(traceparent));
  }

  /** Nobody listens at this address, or only to other methods. */
  private nothingHere(request: FastifyRequest, reply: FastifyReply): Refusal {
    this.addresses ??= addressesOf(this.operations);
    // As the router read it: decoded, and without a slash at its end.
    const path = decodeURIComponent(request.url.split('?', 1)[0]!).replace(/(.)\/$/, '$1');
    const methods = [...new Set(this.addresses.flatMap((address) => (address.matches.test(path) ? address.methods : [])))];
    if (methods.length === 0) return new Refusal('NOT_FOUND', 'There is nothing at this address', { reason: 'ROUTE_NOT_FOUND' });
    reply.header('allow', (methods.includes('GET') ? [...methods, 'HEAD'] : methods).join(', '));
    return new Refusal('UNIMPLEMENTED', `This address takes ${methods.join(', ')} only`, { reason: 'METHOD_NOT_ALLOWED' });
  }
}

interface Address {
  readonly matches: RegExp;
  readonly methods: readonly string[];
}

/** All that the document knows, the addresses of hand-written controllers included. */
const addressesOf = (operations: readonly Operation[]): readonly Address[] =>
  Object.entries((openApiDocument(operations) as { readonly paths: Readonly<Record<string, object>> }).paths).map(([path, methods]) => ({
    matches: pathMatcher(path),
    methods: Object.keys(methods).map((method) => method.toUpperCase()),
  }));
