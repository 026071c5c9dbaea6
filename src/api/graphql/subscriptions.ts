import type { FastifyInstance } from 'fastify';
import { execute, GraphQLError, parse, specifiedRules, subscribe, validate, type ExecutionResult } from 'graphql';
import { CloseCode } from 'graphql-ws';
import { useServer, type Extra } from 'graphql-ws/use/ws';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { Refusal } from '../../domain/kit/index.js';
import { apiKeyOf } from '../auth.js';
import { contextFrom, traceIdOf, traceparentOf, type HeaderReader } from '../context.js';
import type { Core } from '../core.js';
import type { Observer } from '../observer.js';
import { rememberVisitor, Visitor, visitorOf } from '../visitors.js';
import { GraphqlContext } from './context.js';
import { formatErrors } from './errors.js';
import { refuseIntrospection, refuseSharedHeaders } from './permitted.js';
import type { Resolvers } from './schema.js';
import { limits, refuseTooCostly, refuseTooHeavy } from './limits.js';

const largestMessage = 1024 * 1024;

/** Serves graphql-transport-ws beside the HTTP endpoint. The key comes as a header or in the connection's parameters. */
export function serveSubscriptions(app: FastifyInstance, resolvers: Resolvers[string], core: Pick<Core, 'authenticate'>, observer: Observer): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: largestMessage });
  const schema = app.graphql.schema;
  // Mercurius puts them there only where it serves subscriptions itself.
  for (const [name, resolver] of Object.entries(resolvers)) Object.assign(schema.getSubscriptionType()!.getFields()[name]!, { resolve: newsOf(name), ...resolver });

  const server = useServer(
    {
      schema,
      execute,
      subscribe,
      isProd: true,
      async onConnect({ extra, connectionParams }) {
        const header = headersOf(extra.request, connectionParams);
        try {
          const caller = await core.authenticate(apiKeyOf(header));
          extra.socket.setMaxListeners(0); // every operation of a connection may wait for its end
          const whenGone = (listener: () => void) => (extra.socket.readyState === WebSocket.OPEN ? extra.socket.once('close', listener) : listener());
          rememberVisitor(extra.socket, new Visitor(header, caller, whenGone, observer.samples));
          return true;
        } catch (error) {
          observer.failed('graphql', 'none', error, traceparentOf(header));
          if (!(error instanceof Refusal)) throw error;
          extra.socket.close(CloseCode.Unauthorized, 'Unauthorized');
          return false;
        }
      },
      onSubscribe: ({ extra }, _id, { query, operationName, variables }) => {
        const contextValue = new GraphqlContext(contextFrom(visitorOf(extra.socket)));
        try {
          const document = parse(query, { maxTokens: limits.tokens });
          refuseTooHeavy(document);
          refuseIntrospection(document, contextValue);
          refuseSharedHeaders(document, contextValue);
          refuseTooCostly(document, variables ?? {});
          const problems = validate(schema, document, specifiedRules);
          return problems.length > 0 ? problems : { schema, document, contextValue, operationName, variableValues: variables };
        } catch (error) {
          return [error instanceof GraphQLError ? error : new GraphQLError((error as Error).message, { originalError: error as Error })];
        }
      },
      onNext: ({ extra }, _id, _payload, _args, result) => readable(extra, result),
      onError: ({ extra }, _id, _payload, errors) => formatted(extra, errors, false) as never,
    },
    sockets,
  );

  function formatted(extra: Extra, errors: readonly unknown[], executed: boolean) {
    const { traceparent } = visitorOf(extra.socket);
    const { causes, errors: readableErrors } = formatErrors(errors, traceIdOf(traceparent), executed);
    for (const cause of causes) observer.failed('graphql', 'subscription', cause, traceparent);
    return readableErrors;
  }
  const readable = (extra: Extra, result: ExecutionResult) => (result.errors ? ({ ...result, errors: formatted(extra, result.errors, true) } as never) : undefined);

  function open(socket: WebSocket, request: IncomingMessage): void {
    sockets.emit('connection', socket, request);
    // What cannot be read as WebSocket frames closes the connection; graphql-ws would print that, stack and all.
    socket.removeAllListeners('error').on('error', ({ message }) => {
      observer.failed('graphql', 'none', new Refusal('INVALID_ARGUMENT', message, { reason: 'BAD_FRAME' }), traceparentOf(headersOf(request)));
    });
  }

  app.server.on('upgrade', (request, socket, head) => {
    if (request.url?.split('?', 1)[0] === '/graphql') sockets.handleUpgrade(request, socket, head, (opened) => open(opened, request));
    else refuseUpgrade(socket);
  });
  app.addHook('preClose', async () => {
    await server.dispose();
  });
}

/** What a subscription brings is given; asked as a query there is nothing. */
const newsOf = (name: string) => (news: Readonly<Record<string, unknown>> | undefined) => {
  if (news && name in news) return news[name];
  throw new Refusal('UNIMPLEMENTED', 'Subscriptions are served over WebSockets, by the protocol graphql-transport-ws', { reason: 'SUBSCRIPTION_OVER_HTTP' });
};

/** Node leaves the socket to us, and with it the error of a client who breaks off: nobody listening would end the process. */
function refuseUpgrade(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
}

/** Connection parameters stand in for the headers that a browser cannot set on a WebSocket. */
function headersOf(request: IncomingMessage, parameters: Readonly<Record<string, unknown>> = {}): HeaderReader {
  const given = new Map(Object.entries(parameters).map(([name, value]) => [name.toLowerCase(), value]));
  return (name) => {
    const parameter = given.get(name);
    const header = request.headers[name];
    return typeof parameter === 'string' ? parameter : Array.isArray(header) ? header[0] : header;
  };
}
