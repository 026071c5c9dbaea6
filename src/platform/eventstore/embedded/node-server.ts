import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Duplex } from 'node:stream';
import { guarded, type Access } from './access/guarded.js';
import { usersDefinition, usersService } from './access/users-service.js';
import { observed } from './http/observed.js';
import type { Measures } from './http/measures.js';
import { operationsDefinition, operationsService } from './operations/operations-service.js';
import type { Scavenges } from './operations/scavenges.js';
import { OpenCalls } from './services/calls.js';
import type { Groups } from './groups/groups.js';
import type { Projections } from './projections/projections.js';
import { gossipDefinition, gossipService } from './services/gossip.js';
import { persistentSubscriptionsDefinition, persistentSubscriptionsService } from './services/persistent-subscriptions.js';
import { projectionsDefinition, projectionsService } from './services/projections.js';
import { serverFeaturesDefinition, serverFeaturesService } from './services/server-features.js';
import type { StreamsLimits } from './services/append-size.js';
import { streamsDefinition, streamsService } from './services/streams.js';
import type { EventStore } from './store/event-store.js';

/** The gRPC side of the node, given its connections one by one. */
export interface NodeServer {
  accept(connection: Duplex): void;
  /** Ends open streams with CANCELLED and closes every connection once its calls are answered. */
  stop(): void;
}

/** Frames that a client may send before the node has read them: enough for a whole append. */
const RECEIVE_WINDOW_BYTES = 1024 * 1024;
/** A client splits appends at 3 MiB; a message far beyond what may be appended is refused unread. */
const MAX_RECEIVE_BYTES = 17 * 1024 * 1024;
const DRAIN_MS = 500;

/** What the services are made of. */
export interface NodeParts {
  readonly store: EventStore;
  readonly projections: Projections;
  readonly groups: Groups;
  readonly scavenges: Scavenges;
}

/** What holds for all of them. */
export interface NodeRules {
  readonly limits: StreamsLimits;
  readonly measures: Measures;
  /** Undefined where nobody has to log in. */
  readonly access: Access | undefined;
}

export function createNodeServer({ store, projections, groups, scavenges }: NodeParts, { limits, measures, access }: NodeRules): NodeServer {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': RECEIVE_WINDOW_BYTES,
    'grpc.enable_channelz': 0,
  });
  const calls = new OpenCalls();
  const definitions: ServiceDefinition[] = [];
  const add = (definition: ServiceDefinition, service: UntypedServiceImplementation) => {
    const admitted = access === undefined ? service : guarded(definition, service, access);
    server.addService(definition, observed(definition, admitted, measures));
    definitions.push(definition);
  };
  add(streamsDefinition, streamsService(store, calls, { ...limits, appended: (...append) => measures.appended(...append), answered: (...read) => measures.took(...read) }));
  add(persistentSubscriptionsDefinition, persistentSubscriptionsService(groups, calls));
  add(projectionsDefinition, projectionsService(store, projections));
  add(gossipDefinition, gossipService());
  add(operationsDefinition, operationsService(scavenges));
  if (access !== undefined) add(usersDefinition, usersService(access.users));
  add(serverFeaturesDefinition, serverFeaturesService(definitions));
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    accept: (connection) => injector.injectConnection(connection),
    stop: () => {
      calls.endAll();
      injector.drain(DRAIN_MS);
    },
  };
}
