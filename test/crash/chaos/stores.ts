import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startPostgres, type RunningPostgres } from '../../../src/platform/postgres/server.js';
import { shakyWay } from '../../support/shaky-way.js';

const node = resolve('node_modules/node/bin/node');
const eventStoreMain = resolve('dist/src/platform/eventstore/embedded/main.js');

/** An event store and a Postgres in processes of their own, which can be killed and come back with what they hold. */
export interface Stores {
  /** For the test itself. */
  readonly eventStoreUrl: string;
  /** For the tormented: by a way on which all connections can be cut. */
  readonly shakyEventStoreUrl: string;
  readonly postgresUrl: string;
  killEventStore(): Promise<void>;
  killPostgres(): Promise<void>;
  cutConnections(): void;
  close(): Promise<void>;
}

export async function startStores(): Promise<Stores> {
  const dir = await mkdtemp(join(tmpdir(), 'tarl-test-chaos-'));
  let store = await startNode(join(dir, 'log'), 0);
  let postgres: RunningPostgres = await startPostgres({ dir: join(dir, 'postgres'), port: 0 });
  const way = await shakyWay(store.port);
  return {
    eventStoreUrl: `esdb://127.0.0.1:${store.port}?tls=false`,
    shakyEventStoreUrl: `esdb://127.0.0.1:${way.port}?tls=false`,
    postgresUrl: postgres.url,
    async killEventStore() {
      store.child.kill('SIGKILL');
      await once(store.child, 'exit');
      store = await startNode(join(dir, 'log'), store.port);
    },
    async killPostgres() {
      process.kill(postgres.pid, 'SIGKILL');
      await postgres.ended;
      postgres = await startPostgres({ dir: join(dir, 'postgres'), port: postgres.port });
    },
    cutConnections: way.cut,
    async close() {
      way.close();
      store.child.kill('SIGKILL');
      await Promise.all([once(store.child, 'exit'), postgres.stop()]);
      await rm(dir, { recursive: true });
    },
  };
}

async function startNode(dir: string, port: number): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(node, [eventStoreMain, '--dir', dir, '--port', `${port}`, '--projections', 'none'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: JSON.parse(line.toString()).port };
}
