import { Catch, Inject, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../domain/kit/index.js';
import { traceIdOf } from '../context.js';
import { Observer } from '../observer.js';
import { OPERATIONS, type Operation } from '../operations.js';
import { visitorOf } from '../visitors.js';
import { pathMatcher } from './paths.js';
import { restError, sendProblem } from './problem.js';

/** Turns whatever a REST request ends with into a problem, and logs what no operation has logged yet. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly routes: readonly { readonly method: string; readonly matches: RegExp }[];

  constructor(
    @Inject(Observer) private readonly observer: Observer,
    @Inject(OPERATIONS) operations: readonly Operation[],
  ) {
    this.routes = operations.map(({ http }) => ({ method: http.method, matches: pathMatcher(http.path) }));
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const { traceparent } = visitorOf(request);
    const refused = error instanceof NotFoundException ? this.nothingHere(request, reply) : restError(error);
    this.observer.failed('rest', 'none', refused, traceparent);
    sendProblem(reply, refused, traceIdOf(traceparent));
  }

  /** Nobody listens at this address, or only to other methods. */
  private nothingHere(request: FastifyRequest, reply: FastifyReply): Refusal {
    const path = request.url.split('?', 1)[0]!;
    const methods = [...new Set(this.routes.filter(({ matches }) => matches.test(path)).map(({ method }) => method))];
    if (methods.length === 0) return new Refusal('NOT_FOUND', 'There is nothing at this address', { reason: 'ROUTE_NOT_FOUND' });
    reply.header('allow', methods.join(', '));
    return new Refusal('UNIMPLEMENTED', `This address takes ${methods.join(', ')} only`, { reason: 'METHOD_NOT_ALLOWED' });
  }
}
