import type { PoolConfig } from 'pg';
import type { Logger } from 'pino';
import { createApi } from './app.module.js';
import { catalogue } from './catalogue.js';
import { reactions } from './commands/reactions/index.js';
import { Reactor } from './commands/reactions/reactor.js';
import { makeCore } from './core.js';
import type { Config } from './platform/config/index.js';
import { connect } from './platform/eventstore/index.js';
import { connectDataSource } from './platform/postgres/data-source.js';
import { makePool, patient } from './platform/postgres/pool.js';
import { tracedStore } from './platform/telemetry/traced-store.js';
import { startTracing } from './platform/telemetry/tracing.js';
import { ProjectionEngine } from './projections/engine/index.js';

/** Where the two stores are, embedded or not, and the key that this run's own commands may use. */
export interface Endpoints {
  readonly eventstoreUrl: string;
  readonly postgresUrl: string;
  readonly localKey?: string;
}

export interface Platform {
  readonly addresses: { readonly rest: string; readonly grpc: string; readonly graphql: string };
  /** The owner key in clear; only at the very first start. */
  readonly ownerKey?: string;
  close(): Promise<void>;
}

/** Joins the stores, the projection engine and the wires into a running platform, and resolves when it serves. */
export async function startPlatform(config: Config, endpoints: Endpoints, log: Logger): Promise<Platform> {
  await using opened = new AsyncDisposableStack();
  const tracing = await startTracing(config.otelExporter, config.otelEndpoint);
  opened.defer(() => tracing.close());
  const eventStore = tracedStore(connect(endpoints.eventstoreUrl, { log: (message, details) => log.warn(details, message) }), tracing);
  opened.defer(() => eventStore.close());
  const openPool = (options?: PoolConfig) => {
    const pool = makePool(endpoints.postgresUrl, options, (message) => log.warn(message));
    opened.defer(() => pool.end());
    return pool;
  };
  // The engine's statements may take as long as they need; those that a caller waits for may not.
  const [pool, readPool] = [openPool(), openPool(patient())];
  const views = catalogue.flatMap((domain) => domain.views);
  const dataSource = await connectDataSource(endpoints.postgresUrl, views);
  opened.defer(() => dataSource.destroy());
  const projections = new ProjectionEngine({ eventStore, pool, views, log });
  await projections.start();
  opened.defer(() => projections.stop());
  const core = makeCore({ eventStore, pool: readPool, dataSource, projections, localKey: endpoints.localKey, minPositionWaitMs: config.minPositionWaitMs });
  const ownerKey = await core.guard.issueFirstOwnerKey();
  const api = await createApi(core, config, { logger: log, tracing });
  opened.defer(() => api.close());
  const reactor = new Reactor({ eventStore, pool, reactions, execute: core.execute, log });
  reactor.start();
  opened.defer(() => reactor.stop());
  const running = opened.move();
  return { addresses: api.addresses, ownerKey, close: () => running.disposeAsync() };
}
