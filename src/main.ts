import { join } from 'node:path';
import type { PoolConfig } from 'pg';
import type { Logger } from 'pino';
import { createApi, createPages, metricsOf, type Addresses } from './app.module.js';
import { views } from './catalogue.js';
import type { Core } from './api/core.js';
import { featureStore } from './api/features/store.js';
import { platformJobs } from './commands/jobs/index.js';
import { recordMetrics, type Measured } from './commands/jobs/record-metrics.js';
import { pipelineJob } from './commands/jobs/run-pipeline.js';
import { monitoringJobs } from './commands/jobs/monitoring.js';
import { JobKeeper } from './commands/jobs/keeper.js';
import { applyPipeline } from './commands/pipelines/apply.js';
import { reactions } from './commands/reactions/index.js';
import { Reactor } from './commands/reactions/reactor.js';
import { tracedExecute } from './commands/kit/traced.js';
import { makeCore } from './core.js';
import type { Config, Role } from './platform/config/index.js';
import { Contents } from './platform/contents.js';
import { connect } from './platform/eventstore/index.js';
import { formatPosition } from './platform/eventstore/port.js';
import { connectDataSource } from './platform/postgres/data-source.js';
import { makePool, patient } from './platform/postgres/pool.js';
import { tracedStore } from './platform/telemetry/traced-store.js';
import { startTracing } from './platform/telemetry/tracing.js';
import { isNamedBySavedSets } from './projections/features/training-sets/named-contents.js';
import { tracedView } from './projections/kit/traced-view.js';
import { ProjectionEngine } from './projections/engine/index.js';
import { shareReplay } from './projections/features/history/shared-replay.js';

/** Where the two stores are, embedded or not, and the key that this run's own commands may use. */
export interface Endpoints {
  readonly eventstoreUrl: string;
  readonly postgresUrl: string;
  readonly localKey?: string;
}

export interface Platform {
  /** Those of gRPC and GraphQL only where the process answers requests. */
  readonly addresses: Addresses;
  /** The owner key in clear; only at the very first start. */
  readonly ownerKey?: string;
  close(): Promise<void>;
}

/** Joins the stores, the projection engine and the wires into a running platform that does what its roles say, and resolves when it serves. */
export async function startPlatform(config: Config, endpoints: Endpoints, log: Logger): Promise<Platform> {
  const isA = (role: Role) => config.roles.includes(role);
  await using opened = new AsyncDisposableStack();
  const tracing = await startTracing({
    exporter: config.otelExporter, endpoint: config.otelEndpoint, sample: config.otelSample,
    onFailure: (error) => log.warn({ err: error }, 'Traces cannot be sent to the collector and are lost; this is said once in ten minutes'),
  });
  opened.defer(() => tracing.close());
  const eventStore = tracedStore(connect(endpoints.eventstoreUrl, { log: (message, details) => log.warn(details, message) }), tracing);
  opened.defer(() => eventStore.close());
  const openPool = (options?: PoolConfig) => {
    const pool = makePool(endpoints.postgresUrl, options, (message) => log.warn(message));
    opened.defer(() => pool.end());
    return pool;
  };
  // The engine's statements may take as long as they need; those that a caller waits for may not.
  const [pool, readPool] = [openPool({ max: 16, connectionTimeoutMillis: 30_000 }), openPool(patient())];
  const dataSource = await connectDataSource(endpoints.postgresUrl, views);
  opened.defer(() => dataSource.destroy());
  const projections = new ProjectionEngine({ eventStore, pool, views: views.map((view) => tracedView(view, tracing)), log, projects: isA('projector'), reads: readPool, limits: { share: config.rebuildSharePercent / 100, memory_bytes: config.rebuildMemoryBytes } });
  await projections.start();
  opened.defer(() => projections.stop());
  const trainingSets = new Contents(config.trainingSetsDir ?? join(config.dataDir, 'training-sets'), '.parquet');
  shareReplay(eventStore, { cacheBytes: config.historyCacheMib * 1024 * 1024 });
  const base = makeCore({ eventStore, pool: readPool, dataSource, projections, trainingSets, localKey: endpoints.localKey, minPositionWaitMs: config.minPositionWaitMs, quarantine: { days: config.quarantineDays, bytesOfProject: config.quarantineMib * 1024 * 1024 }, log });
  const execute = tracedExecute(base.execute, tracing);
  const jobs = new JobKeeper({
    eventStore,
    pool,
    aggregates: base.aggregates,
    definitions: [
      ...platformJobs({
        clearLeftovers: () => projections.clearLeftovers(),
        removeFormers: () => projections.removeFormers(config.formerTablesHours),
        removeEndedOperations: () => projections.removeEndedOperations(config.operationsDays),
        compareAll: (actor, signal) => projections.compareAll(actor, signal),
        clearQuarantine: () => base.quarantine.clearExpired(),
        clearTrainingSetFiles: () => trainingSets.clearLeftBehind(24 * 3_600_000, isNamedBySavedSets(base, 60_000)),
      }),
      recordMetrics({ cron: config.metricsCron, measure: () => measured(core) }),
      ...monitoringJobs({ eventStore, aggregates: base.aggregates, pool, trainingSets }),
      pipelineJob((order, run) => applyPipeline({ eventStore, aggregates: base.aggregates, writer: featureStore(core).writer }, order, run)),
    ],
    execute,
    waitForView: (position, signal) => projections.waitFor(['jobs'], position, { timeoutMs: 60_000, signal }),
    open: async (parts) => {
      // BullMQ takes longer to read than the rest of the start, so it is read once the platform serves.
      const { Jobs, openJobBackend } = await import('./platform/jobs/index.js');
      const onError = (error: unknown) => log.warn({ err: error }, 'A connection of the jobs broke');
      return new Jobs({ ...parts, tracing, tried: (...how) => metrics.jobs.tried(...how), backend: await openJobBackend({ postgresUrl: endpoints.postgresUrl, redisUrl: config.redisUrl, onError }) });
    },
    log,
  });
  const core: Core & typeof base = { ...base, jobs };
  const metrics = metricsOf(() => core, log);
  const ownerKey = isA('api') ? await core.guard.issueFirstOwnerKey() : undefined;
  const api = await (isA('api') ? createApi : createPages)(core, config, { logger: log, tracing, metrics });
  opened.defer(() => api.close());
  const reactor = new Reactor({ eventStore, pool, reactions, execute, tracing, log });
  if (isA('worker')) reactor.start();
  opened.defer(() => reactor.stop());
  // The others only look into the queues.
  if (isA('worker')) jobs.start();
  opened.defer(() => jobs.stop());
  const running = opened.move();
  return { addresses: api.addresses, ownerKey, close: () => running.disposeAsync() };
}

/** How everything is at this moment. */
async function measured({ eventStore, projections, jobs }: Core): Promise<Measured> {
  const [end, views, queues] = await Promise.all([eventStore.endOfLog(), projections.status(), jobs.status()]);
  return { endOfLog: formatPosition(end), views, jobs: queues.jobs };
}
