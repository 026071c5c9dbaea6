import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import type { Core } from '../core.js';
import { handwritten } from '../handwritten.js';
import { healthOf } from '../health.js';
import type { Observer } from '../observer.js';
import { compression } from './compression.js';
import { answerDirectly } from './direct.js';
import { serveGuarded, type GuardedUnary, type HandwrittenRpc } from './guard.js';
import { serveHealth } from './health.js';
import { letGoWhenClosed } from './let-go.js';
import { loadProtos } from './protos.js';
import { reflectionServices } from './reflection.js';
import { timeouts } from './timeouts.js';

export interface GrpcParts {
  readonly core: Core;
  readonly settings: { readonly host: string; readonly grpcPort: number; readonly maxMessageBytes: number; readonly readyLagMs: number };
  readonly observer: Observer;
}

/** The running gRPC server. */
export interface GrpcServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the catalogue over gRPC, with reflection and health; all but health stands behind the guard. */
export async function grpcServer({ core, settings, observer }: GrpcParts, derived: (service: string, rpc: string) => HandwrittenRpc | undefined): Promise<GrpcServer> {
  const server = new Server({
    'grpc.max_receive_message_length': settings.maxMessageBytes,
    'grpc.max_send_message_length': settings.maxMessageBytes,
    // Its counters cost every call, and nothing serves them.
    'grpc.enable_channelz': 0,
    interceptors: [letGoWhenClosed, compression, timeouts],
  });
  const protos = loadProtos([...new Set(core.catalogue.map(({ proto }) => proto))]);
  const services = [...new Set(core.catalogue.map(({ service }) => service))];
  const unaries: GuardedUnary[] = [];
  for (const service of services) {
    const domains = core.catalogue.filter((domain) => domain.service === service);
    const definition = protos[service] as ServiceDefinition;
    const rpcs: Record<string, HandwrittenRpc> = {};
    for (const rpc of Object.keys(definition)) {
      const served = derived(service, rpc);
      if (served) rpcs[rpc] = served;
    }
    const extras = handwritten.filter(({ domain }) => domains.some(({ name }) => name === domain)).map(({ grpc }) => grpc?.(core, observer));
    unaries.push(...serveGuarded(server, definition, Object.assign(rpcs, ...extras), core, observer));
  }
  for (const { service, rpcs } of reflectionServices(protos, services)) serveGuarded(server, service, rpcs, core, observer);
  const stopHealth = serveHealth(server, services, async () => (await healthOf(core, settings.readyLagMs)).ready);

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${settings.host}:${settings.grpcPort}`, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  answerDirectly(server, unaries, settings.maxMessageBytes);
  return { port, close: () => shutDown(server, stopHealth) };
}

/** Longest that running calls may take to end once the server stops; subscriptions and idle streams would never end by themselves. */
const graceMs = 5000;

async function shutDown(server: Server, stopHealth: () => void): Promise<void> {
  stopHealth();
  const timer = setTimeout(() => server.forceShutdown(), graceMs);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(timer);
}
