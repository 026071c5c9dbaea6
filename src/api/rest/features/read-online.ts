import type { FastifyInstance } from 'fastify';
import { traceIdOf } from '../../context.js';
import type { Core } from '../../core.js';
import { onlineRequestOf, onlineRows } from '../../features/json.js';
import { featureStore } from '../../features/store.js';
import type { Observer } from '../../observer.js';
import { visitorOf } from '../../visitors.js';
import { routerPath } from '../paths.js';
import { restError, sendProblem } from '../problem.js';
import { restContext } from '../request.js';
import { bodyOf } from './bodies.js';

/** `{ features, entities, fullNames }`: the latest values of many entities. It stands beside Nest, as the rpc of the same name does. */
export function serveReadOnline(fastify: FastifyInstance, core: Core, observer: Observer): void {
  const store = featureStore(core);
  fastify.post(routerPath('/api/v1/projects/{project}/features:readOnline'), {
    errorHandler(error, request, reply) {
      const { traceparent } = visitorOf(request);
      const refused = restError(error);
      observer.failed('rest', 'none', refused, traceparent);
      sendProblem(reply, refused, traceIdOf(traceparent));
    },
    handler: (request) =>
      observer.observe('rest', 'ReadOnline', restContext(request), async (context) => {
        const { request: wanted, entities } = onlineRequestOf({ ...bodyOf(request), ...(request.params as object) });
        return { rows: onlineRows(await store.readOnline(wanted, context), entities) };
      }),
  });
}
