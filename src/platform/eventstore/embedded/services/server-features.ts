import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { bytesField, message, stringField } from '../../protobuf.js';
import { answer } from './calls.js';
import { method } from './method.js';

/** The server version that clients are told: the one whose behaviour this node shows. */
export const SERVER_VERSION = '24.6.0.0';

export const serverFeaturesDefinition: ServiceDefinition = {
  getSupportedMethods: method('/event_store.client.server_features.ServerFeatures/GetSupportedMethods', { request: () => ({}) }),
};

/** What clients may know of a method beyond its being there. */
const FEATURES: Record<string, readonly string[]> = {
  '/event_store.client.streams.streams/read': ['position', 'events'],
  '/event_store.client.streams.streams/batchappend': ['deadline_duration'],
};

const GROUP_FEATURES = ['stream', 'all'];

/** Lists the methods of the given services, as clients ask for it once a connection. */
export function serverFeaturesService(definitions: readonly ServiceDefinition[]): UntypedServiceImplementation {
  const methods = definitions.flatMap((definition) => Object.values(definition)).map(({ path }) => supportedMethod(path.toLowerCase()));
  const reply = message(...methods.map((bytes) => bytesField(1, bytes)), stringField(2, SERVER_VERSION));
  return { getSupportedMethods: answer(() => reply) };
}

function supportedMethod(path: string): Buffer {
  const [, service = '', name = ''] = path.split('/');
  const features = service.endsWith('persistentsubscriptions') ? GROUP_FEATURES : (FEATURES[path] ?? []);
  return message(stringField(1, name), stringField(2, service), ...features.map((feature) => stringField(3, feature)));
}
