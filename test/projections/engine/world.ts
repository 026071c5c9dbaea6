import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { connect } from '../../../src/platform/eventstore/index.js';
import type { AppendResult, EventStore, Position } from '../../../src/platform/eventstore/port.js';
import { connectDataSource } from '../../../src/platform/postgres/data-source.js';
import { makePool } from '../../../src/platform/postgres/pool.js';
import { ProjectionEngine, type ProjectionEngineOptions } from '../../../src/projections/engine/index.js';
import type { View } from '../../../src/projections/kit/view.js';
import { testEventStore } from '../../support/eventstore.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { patience_ms } from '../../support/until.js';

/** A log and a database with the engine's tables, for one test or suite. */
export interface EngineWorld {
  readonly eventStore: EventStore;
  readonly eventStoreUrl: string;
  readonly database: TestDatabase;
  /** Lines of the engines' log at level warn or error. */
  readonly complaints: string[];
  /** A new engine on this log and database, as another process would have it. */
  engine(views: readonly View[], options?: EngineOptions): ProjectionEngine;
  append(stream: string, ...events: readonly (readonly [type: string, data: unknown])[]): Promise<AppendResult>;
  close(): Promise<void>;
}

export type EngineOptions = Pick<ProjectionEngineOptions, 'projects' | 'name' | 'longestSilence_ms'> & {
  readonly postgresUrl?: string;
  /** A connection of its own to the log. */
  readonly eventStore?: EventStore;
  /** Told of every statement of the engine, which waits for what it answers. */
  readonly before?: (statement: string) => Promise<unknown> | undefined;
};

export async function engineWorld(views: readonly View[]): Promise<EngineWorld> {
  const [store, database] = await Promise.all([testEventStore(), testDatabase()]);
  const eventStore = connect(store.url);
  const dataSource: DataSource = await connectDataSource(database.url, []);
  await dataSource.destroy();
  for (const view of views) await createTables(database, view);
  const engines: ProjectionEngine[] = [];
  const complaints: string[] = [];
  const complain = (facts: object, message: string) => void complaints.push(`${message} ${(facts as { err?: Error }).err?.stack ?? ''}`);
  const log = { debug: () => {}, info: () => {}, warn: complain, error: complain };
  return {
    eventStore,
    eventStoreUrl: store.url,
    database,
    complaints,
    engine(engineViews, { postgresUrl = database.url, before, ...options } = {}) {
      const pool = makePool(postgresUrl, {}, (message) => complaints.push(message));
      if (before) pool.on('connect', (client) => holdBack(client, before));
      const engine = new PatientEngine({ eventStore, pool, views: engineViews, log, ...options });
      engines.push(engine);
      return engine;
    },
    append: (stream, ...events) =>
      eventStore.append(
        stream,
        events.map(([type, data]) => ({ id: randomUUID(), type, data, metadata: { version: 1, actor: 'tester' } })),
        { expected: 'any', deadlineMs: patience_ms },
      ),
    async close() {
      await Promise.all(engines.map((engine) => engine.stop()));
      await eventStore.close();
      await store.close();
      await database.drop();
    },
  };
}

/** Waits for as long as only a broken thing needs, where a test does not say otherwise: a loaded machine is no fault. */
class PatientEngine extends ProjectionEngine {
  private stopped: Promise<void> | undefined;

  constructor(private readonly options: ProjectionEngineOptions) {
    super(options);
  }

  /** Its connections go with it: there are only so many for all engines of a test, and of those that run beside it. */
  override stop(): Promise<void> {
    this.stopped ??= super.stop().then(() => this.options.pool.end());
    return this.stopped;
  }

  override waitFor(views: readonly string[], position: Position, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    return super.waitFor(views, position, { timeoutMs: patience_ms, ...options });
  }
}

function holdBack(client: ClientBase, before: NonNullable<EngineOptions['before']>): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  client.query = ((first: string | { text: string }, ...others: unknown[]) => {
    const held = before(typeof first === 'string' ? first : first.text);
    return held ? held.then(() => query(first, ...others)) : query(first, ...others);
  }) as never;
}

/** Makes the tables that a view declares, as its migration would. */
export async function createTables({ pool }: Pick<TestDatabase, 'pool'>, { shapes = [] }: View): Promise<void> {
  for (const { name, columns, key } of shapes) {
    const lines = columns.map((column) => `"${column.name}" ${column.type}${column.nullable ? '' : ' not null'}`);
    await pool.query(`create table "${name}" (${[...lines, `primary key (${key.map((column) => `"${column}"`).join(', ')})`].join(', ')})`);
  }
}
