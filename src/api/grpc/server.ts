import type { Server } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import { HealthImplementation } from 'grpc-health-check';
import type { Core } from '../core.js';
import type { Observer } from '../observer.js';
import { grpcGuard } from './guard.js';
import { loadProtos } from './protos.js';

export interface GrpcSettings {
  readonly host: string;
  readonly grpcPort: number;
  readonly maxMessageBytes: number;
}

/** The gRPC side of the API as Nest takes it. */
export interface GrpcServer {
  readonly options: GrpcOptions;
  readonly health: HealthImplementation;
  port(): number;
}

/** Describes the gRPC server: the services of the catalogue, reflection and health, all but health behind the guard. */
export function grpcServer(core: Core, observer: Observer, settings: GrpcSettings): GrpcServer {
  const files = [...new Set(core.catalogue.map(({ proto }) => proto))];
  const services = [...new Set(core.catalogue.map(({ service }) => service))];
  const packageDefinition = loadProtos(files);
  const health = new HealthImplementation({ '': 'NOT_SERVING', ...Object.fromEntries(services.map((service) => [service, 'NOT_SERVING' as const])) });
  let server: Server | undefined;
  return {
    health,
    port: () => [...(server as any).boundPorts.values()][0].portNumber,
    options: {
      transport: Transport.GRPC,
      options: {
        url: `${settings.host}:${settings.grpcPort}`,
        package: [...new Set(services.map((service) => service.slice(0, service.lastIndexOf('.'))))],
        packageDefinition,
        maxReceiveMessageLength: settings.maxMessageBytes,
        maxSendMessageLength: settings.maxMessageBytes,
        gracefulShutdown: true,
        channelOptions: { interceptors: [grpcGuard(core, observer)] } as object,
        onLoadPackageDefinition: (definition: PackageDefinition, loaded: Server) => {
          server = loaded;
          new ReflectionService(definition as never, { services }).addToServer(loaded as never);
          health.addToServer(loaded as never);
        },
      },
    },
  };
}
