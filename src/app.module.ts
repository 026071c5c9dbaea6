import { Module, type DynamicModule, type INestApplication, type Provider } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { CommandBus, CqrsModule, QueryBus } from '@nestjs/cqrs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import type { Core } from './api/core.js';
import { Dispatcher } from './api/dispatcher.js';
import { graphqlServer } from './api/graphql/server.js';
import { grpcController } from './api/grpc/controller.js';
import { GrpcTransport } from './api/grpc/transport.js';
import { handwritten } from './api/handwritten.js';
import { Observer } from './api/observer.js';
import { CORE, OPERATIONS, operationsOf, SETTINGS, type Operation } from './api/operations.js';
import { restController } from './api/rest/controller.js';
import { JobsController } from './api/rest/jobs-controller.js';
import { DocsController } from './api/rest/docs-controller.js';
import { ProblemFilter } from './api/rest/filter.js';
import { serveReadOnline } from './api/rest/features/read-online.js';
import { guardHttp } from './api/rest/guard.js';
import { serveJobsBoard } from './api/rest/jobs-board/serve.js';
import { sendProblem } from './api/rest/problem.js';
import { OperatorController } from './api/rest/operator-controller.js';
import { PlatformController } from './api/rest/platform-controller.js';
import { ReplayController } from './api/rest/replay-controller.js';
import { restAdapter } from './api/rest/server.js';
import { nestLogger } from './api/nest-logger.js';
import { createLogger, type Logger } from './platform/telemetry/logger.js';
import { Metrics } from './platform/telemetry/metrics.js';
import { noTracing, type Tracing } from './platform/telemetry/tracing.js';

/** What the wires need to know; port 0 takes a free one. */
export interface ApiSettings {
  readonly host: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly graphqlPort: number;
  readonly logLevel: string;
  /** The largest request and answer, in bytes. */
  readonly maxMessageBytes: number;
  /** How far behind a view may be, in milliseconds, before the platform is not ready. */
  readonly readyLagMs: number;
  /** The largest file that is put on the disk while it is read, in bytes. */
  readonly importSpoolBytes: number;
  /** The project that Feast's interface serves where a request names none. */
  readonly feastProject?: string;
}

export const apiDefaults = { host: '127.0.0.1', httpPort: 0, grpcPort: 0, graphqlPort: 0, logLevel: 'info', maxMessageBytes: 16 * 1024 * 1024, readyLagMs: 10_000, importSpoolBytes: 4 * 1024 ** 3 } satisfies ApiSettings;

/** Where a process can be reached: over all wires, or at its pages of health and metrics alone. */
export interface Addresses {
  readonly rest: string;
  readonly grpc?: string;
  readonly graphql?: string;
}

/** The running wires. */
export interface Api<Reached extends Addresses = Required<Addresses>> {
  readonly addresses: Reached;
  /** Lets running requests finish, then stops listening everywhere. */
  close(): Promise<void>;
}

interface Telemetry {
  readonly logger?: Logger;
  readonly tracing?: Tracing;
  /** The numbers of the process; some of its own where it has none yet. */
  readonly metrics?: Metrics;
}

/** Serves the core over REST, gRPC and GraphQL; resolves once all three listen. */
export async function createApi(core: Core, given: Partial<ApiSettings> = {}, telemetry: Telemetry = {}): Promise<Api> {
  const parts = partsOf(core, given, telemetry);
  const { settings, logger } = parts;
  await using opened = new AsyncDisposableStack();
  const adapter = restAdapter(settings.maxMessageBytes);
  const board = serveJobsBoard(adapter.getInstance() as never, core, parts.observer);
  opened.defer(() => board.close());
  const app = await httpApp(parts, appModule(parts), adapter);
  serveReadOnline(adapter.getInstance() as never, core, parts.observer);
  opened.defer(() => app.close());
  const wire = { ...parts, dispatcher: app.get(Dispatcher), nest: { logger: nestLogger(logger) } };
  const grpc = new GrpcTransport(wire);
  app.connectMicroservice({ strategy: grpc });
  await app.startAllMicroservices();
  await app.listen(settings.httpPort, settings.host);
  const graphql = await graphqlServer(wire);
  opened.defer(() => graphql.close());
  await graphql.listen(settings.graphqlPort, settings.host);

  const running = opened.move();
  return {
    addresses: { rest: addressOf(app), grpc: `${settings.host}:${grpc.port}`, graphql: `${addressOf(graphql)}/graphql` },
    close: () => running.disposeAsync(),
  };
}

/** Serves health and metrics alone, for a process that answers nothing else. */
export async function createPages(core: Core, given: Partial<ApiSettings> = {}, telemetry: Telemetry = {}): Promise<Api<Addresses>> {
  const parts = { ...partsOf(core, given, telemetry), operations: [] };
  const app = await httpApp(parts, { module: AppModule, controllers: [OperatorController], providers: surroundings(parts) });
  await app.listen(parts.settings.httpPort, parts.settings.host);
  return { addresses: { rest: addressOf(app) }, close: () => app.close() };
}

function partsOf(core: Core, given: Partial<ApiSettings>, telemetry: Telemetry): Parts {
  const settings: ApiSettings = { ...apiDefaults, ...given };
  const logger = telemetry.logger ?? createLogger(settings.logLevel);
  const metrics = telemetry.metrics ?? metricsOf(() => core, logger);
  return { core, settings, logger, metrics, observer: new Observer(metrics, telemetry.tracing ?? noTracing, logger), operations: operationsOf(core.catalogue) };
}

/** The numbers of a process, of which the core is asked when they are fetched. */
export const metricsOf = (core: () => Core, logger: Logger): Metrics =>
  new Metrics({ views: () => core().projections.status(), queues: () => core().jobs.counts(), onError: (error, what) => logger.warn({ err: error }, what) });

async function httpApp({ core, settings, logger, observer }: Parts, module: DynamicModule, adapter = restAdapter(settings.maxMessageBytes)): Promise<NestFastifyApplication> {
  guardHttp(adapter.getInstance() as never, 'rest', core, observer, sendProblem);
  return NestFactory.create<NestFastifyApplication>(module, adapter, { logger: nestLogger(logger), bodyParser: false });
}

interface Parts {
  readonly core: Core;
  readonly settings: ApiSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly observer: Observer;
  readonly operations: readonly Operation[];
}

/** The one wiring list. */
function appModule(parts: Parts): DynamicModule {
  const { core, observer, operations } = parts;
  const domains = core.catalogue.map((domain) => ({ ...domain, operations: operations.filter((operation) => operation.domain === domain) }));
  const extras = handwritten.filter(({ domain }) => core.catalogue.some(({ name }) => name === domain));
  return {
    module: AppModule,
    imports: [CqrsModule.forRoot()],
    controllers: [
      OperatorController,
      DocsController,
      PlatformController,
      ReplayController,
      JobsController,
      ...domains.flatMap(({ name, operations: own }) => [restController(name, own), grpcController(name, own)]),
      ...extras.flatMap(({ controllers = [] }) => controllers),
    ],
    providers: [
      ...surroundings(parts),
      { provide: Dispatcher, inject: [CommandBus, QueryBus], useFactory: (commands: CommandBus, queries: QueryBus) => new Dispatcher(commands, queries, observer) },
      ...operations.map(({ Handler }) => Handler),
      ...extras.flatMap(({ providers = [] }) => providers),
    ],
  };
}

/** What every page and every wire stands on. */
const surroundings = ({ core, settings, metrics, observer, operations }: Parts): Provider[] => [
  { provide: CORE, useValue: core },
  { provide: SETTINGS, useValue: settings },
  { provide: OPERATIONS, useValue: operations },
  { provide: Metrics, useValue: metrics },
  { provide: Observer, useValue: observer },
  { provide: APP_FILTER, useClass: ProblemFilter },
];

@Module({})
class AppModule {}

function addressOf(app: Pick<INestApplication, 'getHttpServer'>): string {
  const { address, port, family } = app.getHttpServer().address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
