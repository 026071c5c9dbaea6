import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Duplex } from 'node:stream';
import { OpenCalls } from './services/calls.js';
import type { Groups } from './groups/groups.js';
import type { Projections } from './projections/projections.js';
import { gossipDefinition, gossipService } from './services/gossip.js';
import { persistentSubscriptionsDefinition, persistentSubscriptionsService } from './services/persistent-subscriptions.js';
import { projectionsDefinition, projectionsService } from './services/projections.js';
import { serverFeaturesDefinition, serverFeaturesService } from './services/server-features.js';
import { streamsDefinition, streamsService, type StreamsLimits } from './services/streams.js';
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
}

export function createNodeServer({ store, projections, groups }: NodeParts, limits: StreamsLimits): NodeServer {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': RECEIVE_WINDOW_BYTES,
    'grpc.enable_channelz': 0,
  });
  const calls = new OpenCalls();
  server.addService(streamsDefinition, streamsService(store, calls, limits));
  server.addService(projectionsDefinition, projectionsService(store, projections));
  server.addService(persistentSubscriptionsDefinition, persistentSubscriptionsService(groups, calls));
  server.addService(gossipDefinition, gossipService());
  server.addService(serverFeaturesDefinition, serverFeaturesService([streamsDefinition, persistentSubscriptionsDefinition, projectionsDefinition, gossipDefinition]));
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    accept: (connection) => injector.injectConnection(connection),
    stop: () => {
      calls.endAll();
      injector.drain(DRAIN_MS);
    },
  };
}
