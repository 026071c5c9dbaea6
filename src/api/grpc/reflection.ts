import type { ServiceDefinition } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { ReflectionService } from '@grpc/reflection';
import { createRequire } from 'node:module';
import type { Handler, HandwrittenRpc } from './guard.js';

const versions = ['v1', 'v1alpha'] as const;
const pathOf = (version: string) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;

/** The reflection services over these protos. The library takes some 150 ms to set up, so that is left to the first who asks. */
export function reflectionServices(protos: PackageDefinition, services: readonly string[]): readonly { readonly service: ServiceDefinition; readonly rpcs: Record<string, HandwrittenRpc> }[] {
  let loaded: Map<string, Loaded> | undefined;
  const load = (version: string) => (loaded ??= loadReflection(protos, services)).get(pathOf(version))!;
  return versions.map((version) => ({
    service: {
      ServerReflectionInfo: {
        path: pathOf(version),
        requestStream: true,
        responseStream: true,
        requestSerialize: (message: object) => load(version).method.requestSerialize(message),
        requestDeserialize: (bytes: Buffer) => load(version).method.requestDeserialize(bytes),
        responseSerialize: (message: object) => load(version).method.responseSerialize(message),
        responseDeserialize: (bytes: Buffer) => load(version).method.responseDeserialize(bytes),
      },
    },
    rpcs: { ServerReflectionInfo: { handle: (call: any, callback: any) => load(version).handle(call, callback) } },
  }));
}

interface Loaded {
  readonly method: ServiceDefinition[string];
  readonly handle: Handler;
}

/** What the library would add to a server, by path. */
function loadReflection(protos: PackageDefinition, services: readonly string[]): Map<string, Loaded> {
  const library = createRequire(import.meta.url)('@grpc/reflection') as { ReflectionService: typeof ReflectionService };
  const found = new Map<string, Loaded>();
  new library.ReflectionService(protos as never, { services: [...services] }).addToServer({
    addService: (service: ServiceDefinition, handlers: Record<string, Handler>) => {
      for (const [name, method] of Object.entries(service)) found.set(method.path, { method, handle: (handlers[name] ?? handlers[method.originalName!])! });
    },
  } as never);
  return found;
}
