import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Kind, type DocumentNode, type ExecutionResult } from 'graphql';
import mercurius, { type MercuriusContext } from 'mercurius';
import { Refusal } from '../../domain/kit/index.js';
import { traceIdOf } from '../context.js';
import type { Core } from '../core.js';
import type { Dispatcher } from '../dispatcher.js';
import type { Observer } from '../observer.js';
import type { Operation } from '../operations.js';
import { guardHttp } from '../rest/guard.js';
import { bearerChallenge, restError } from '../rest/problem.js';
import { restContext } from '../rest/request.js';
import { fastifyOptions, parseStrictJson } from '../rest/server.js';
import { visitorOf } from '../visitors.js';
import { graphqlAdditions } from './additions.js';
import { GraphqlContext } from './context.js';
import { formatErrors } from './errors.js';
import { refuseIntrospection } from './introspection.js';
import { limits, refuseTooCostly, refuseTooHeavy } from './limits.js';
import { resolversOf } from './resolvers.js';
import { scalars } from './scalars.js';
import { sdlOf, type Resolvers } from './schema.js';
import { serveSubscriptions } from './subscriptions.js';

interface Parts {
  readonly core: Core;
  readonly settings: { readonly maxMessageBytes: number };
  readonly observer: Observer;
  readonly operations: readonly Operation[];
  readonly dispatcher: Dispatcher;
}

/**
 * The GraphQL endpoint: Mercurius on a Fastify of its own. Its root fields go straight to the dispatcher that serves
 * the other wires; Nest's own GraphQL layer would only stand in between.
 */
export async function graphqlServer({ core, settings, observer, operations, dispatcher }: Parts): Promise<FastifyInstance> {
  const app = fastify(fastifyOptions(settings.maxMessageBytes, sendErrors) as never) as unknown as FastifyInstance;
  parseStrictJson(app);
  guardHttp(app, 'graphql', core, observer, sendErrors);
  const additions = graphqlAdditions(core.catalogue);

  app.addHook('onRequest', async (request, reply) => {
    // By GET a query would be part of an address, and addresses end up in other people's logs.
    if (request.method === 'POST') return;
    reply.header('allow', 'POST');
    throw new Refusal('UNIMPLEMENTED', 'GraphQL takes POST only', { reason: 'METHOD_NOT_ALLOWED' });
  });
  app.addHook('preHandler', async (request) => {
    if (Array.isArray(request.body) && request.body.length > limits.batch) throw new Refusal('INVALID_ARGUMENT', `A batch holds at most ${limits.batch} queries`, { reason: 'QUERY_BATCH_LIMIT' });
  });
  app.setErrorHandler((error, request, reply) => fail(error, request, reply));
  app.setNotFoundHandler((request, reply) => fail(new Refusal('NOT_FOUND', 'GraphQL is served by POST at /graphql', { reason: 'ROUTE_NOT_FOUND' }), request, reply));
  function fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { traceparent } = visitorOf(request);
    observer.failed('graphql', 'none', restError(error), traceparent);
    sendErrors(reply, error, traceIdOf(traceparent));
  }

  const { Subscription = {}, ...resolvers } = mergeResolvers([scalars as never, resolversOf(operations, dispatcher), ...additions.map((addition) => addition.resolvers(core, observer))]);

  await app.register(mercurius, {
    schema: sdlOf(operations, additions.map(({ typeDefs }) => typeDefs)),
    resolvers: resolvers as never,
    context: (request: FastifyRequest) => new GraphqlContext(restContext(request)) as never,
    errorFormatter: (execution: ExecutionResult, context: MercuriusContext) => {
      const executed = execution.data !== undefined;
      const { traceparent } = visitorOf(context.reply.request);
      const { status, causes, errors } = formatErrors(execution.errors ?? [], traceIdOf(traceparent), executed);
      for (const cause of causes) observer.failed('graphql', 'none', cause, traceparent);
      return { statusCode: executed ? 200 : status, response: { data: execution.data ?? null, errors: errors as never } };
    },
    allowBatchedQueries: true,
    jit: 2,
    graphql: { parseOptions: { maxTokens: limits.tokens } },
  } as never);

  app.graphql.addHook('preValidation', async (_schema, document) => refuseUnreadable(document));
  app.graphql.addHook('preExecution', async (_schema, document, context, variables) => {
    refuseTooCostly(document, variables);
    refuseIntrospection(document, context as unknown as GraphqlContext);
    // Mercurius keeps one compiled operation a document, whichever operation is asked for next: such a document is never compiled.
    return document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length > 1 ? { document } : undefined;
  });
  serveSubscriptions(app, Subscription, core, observer);
  return app;
}

/** Answers a request that never became a query. */
function sendErrors(reply: FastifyReply, error: unknown, traceId: string): void {
  const { status, errors } = formatErrors([error], traceId, false);
  if (status === 401) reply.header('www-authenticate', bearerChallenge);
  void reply.status(status).send({ errors });
}

/** Mercurius would also take a document as JSON, unchecked; here a query is text. */
function refuseUnreadable(document: DocumentNode): void {
  if (!document.loc) throw new Refusal('INVALID_ARGUMENT', 'The query is not GraphQL', { reason: 'INVALID_QUERY' });
  refuseTooHeavy(document);
}

function mergeResolvers(parts: readonly Resolvers[]): Resolvers {
  const merged: Record<string, Record<string, unknown>> = {};
  for (const part of parts) for (const [type, fields] of Object.entries(part)) merged[type] = { ...merged[type], ...fields };
  return merged as Resolvers;
}
