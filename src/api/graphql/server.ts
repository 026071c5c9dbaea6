import { Catch, Module, NotFoundException, type ArgumentsHost, type DynamicModule, type ExceptionFilter, type LoggerService } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Kind, type DocumentNode, type ExecutionResult } from 'graphql';
import type { MercuriusContext } from 'mercurius';
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
import { formatErrors, type FormattedError } from './errors.js';
import { refuseIntrospection, refuseSharedHeaders } from './permitted.js';
import { limits, refuseTooCostly, refuseTooHeavy } from './limits.js';
import { requireQueries } from './requests.js';
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
  readonly nest: { readonly logger: LoggerService };
}

/** The GraphQL endpoint: a small Nest application of its own, because it has a port of its own. */
export async function graphqlServer(parts: Parts): Promise<NestFastifyApplication> {
  const { core, settings, observer, nest } = parts;
  const adapter = new FastifyAdapter(fastifyOptions(settings.maxMessageBytes, sendErrors) as never);
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  parseStrictJson(fastify);
  guardHttp(fastify, 'graphql', core, observer, sendErrors);
  refuseOtherRequests(fastify);
  const { Subscription = {}, ...resolvers } = resolversOfAll(parts);
  const app = await NestFactory.create<NestFastifyApplication>(graphqlModule(parts, resolvers), adapter, { ...nest, bodyParser: false });
  await app.init();
  serveSubscriptions(fastify, Subscription, core, observer);
  return app;
}

@Module({})
class GraphqlModule {}

function graphqlModule({ core, observer, operations }: Parts, resolvers: Resolvers): DynamicModule {
  return {
    module: GraphqlModule,
    imports: [
      GraphQLModule.forRoot<MercuriusDriverConfig>({
        driver: MercuriusDriver,
        typeDefs: sdlOf(operations, graphqlAdditions(core.catalogue).map(({ typeDefs }) => typeDefs)),
        resolvers: resolvers as never,
        context: (request: FastifyRequest) => new GraphqlContext(restContext(request)) as never,
        errorFormatter: (execution: ExecutionResult, context: MercuriusContext) => {
          const executed = execution.data !== undefined;
          const { traceparent } = visitorOf(context.reply.request);
          const { status, causes, errors } = formatErrors(execution.errors ?? [], traceIdOf(traceparent), executed);
          for (const cause of causes) observer.failed('graphql', 'none', cause, traceparent);
          return { statusCode: executed ? 200 : status, response: { data: execution.data ?? null, errors: errors as never } };
        },
        // Mercurius' own handler would make the context anew, and fail again where that is what failed.
        additionalRouteOptions: { errorHandler: (error: unknown, request: FastifyRequest, reply: FastifyReply) => answerFailure(observer, error, request, reply) },
        allowBatchedQueries: true,
        jit: 2,
        graphql: { parseOptions: { maxTokens: limits.tokens } },
        hooks: { preValidation: async (_schema: unknown, document: DocumentNode) => refuseUnreadable(document), preExecution },
      } as MercuriusDriverConfig),
    ],
    providers: [{ provide: APP_FILTER, useValue: new FailureFilter(observer) }],
  };
}

const preExecution = async (_schema: unknown, document: DocumentNode, context: unknown, variables: Record<string, unknown>) => {
  refuseTooCostly(document, variables);
  refuseIntrospection(document, context as GraphqlContext);
  refuseSharedHeaders(document, context as GraphqlContext);
  // Mercurius keeps one compiled operation a document, whichever operation is asked for next: such a document is never compiled.
  return document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length > 1 ? { document } : undefined;
};

/** Root fields go straight to the dispatcher that serves the other wires. */
function resolversOfAll({ core, observer, operations, dispatcher }: Parts): Resolvers {
  const additions = graphqlAdditions(core.catalogue).map(({ resolvers }) => resolvers(core, observer));
  return mergeResolvers([scalars as never, resolversOf(operations, dispatcher), ...additions]);
}

function refuseOtherRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', async (request, reply) => {
    // By GET a query would be part of an address, and addresses end up in other people's logs.
    if (request.method === 'POST') return;
    reply.header('allow', 'POST');
    throw new Refusal('UNIMPLEMENTED', 'GraphQL takes POST only', { reason: 'METHOD_NOT_ALLOWED' });
  });
  fastify.addContentTypeParser('*', (_request, _body, done) => done(new Refusal('INVALID_ARGUMENT', 'The body must be JSON, sent as application/json', { reason: 'UNSUPPORTED_MEDIA_TYPE' })));
  fastify.addHook('preValidation', async ({ is404, body, headers }) => {
    // That type's body is the query itself.
    if (!is404 && !headers['content-type']?.startsWith('application/graphql')) requireQueries(body);
  });
}

/** Answers what fails before it becomes a query. */
function answerFailure(observer: Observer, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { traceparent } = visitorOf(request);
  const { status, causes, errors } = formatErrors([restError(error, request)], traceIdOf(traceparent), false);
  for (const cause of causes) observer.failed('graphql', 'none', cause, traceparent);
  answerErrors(reply, status, errors);
}

/** The same for what Nest catches: requests to addresses where nothing is. */
@Catch()
class FailureFilter implements ExceptionFilter {
  constructor(private readonly observer: Observer) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const [request, reply] = host.getArgs<[FastifyRequest, FastifyReply]>();
    const nothingHere = new Refusal('NOT_FOUND', 'GraphQL is served by POST at /graphql', { reason: 'ROUTE_NOT_FOUND' });
    answerFailure(this.observer, error instanceof NotFoundException ? nothingHere : error, request, reply);
  }
}

/** Answers a request that never became a query. */
function sendErrors(reply: FastifyReply, error: unknown, traceId: string): void {
  const { status, errors } = formatErrors([error], traceId, false);
  answerErrors(reply, status, errors);
}

function answerErrors(reply: FastifyReply, status: number, errors: readonly FormattedError[]): void {
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
