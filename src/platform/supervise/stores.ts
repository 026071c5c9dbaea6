import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Config } from '../config/index.js';
import { endLeftoverPostgres, startPostgres } from '../postgres/server.js';
import type { DataFolder } from './data-folder.js';
import { keepRunning } from './keep-running.js';
import { endLeftover } from './leftover.js';
import { MEMORY_FLAGS } from '../eventstore/embedded/memory-flags.js';
import { startNodeProcess } from './node-process.js';
import { checkPorts, type WantedPort } from './ports.js';
import { reachEventStore, reachPostgres } from './reach.js';

/** The log and the read models, embedded or the user's own, where TARL can reach them. */
export interface Stores {
  eventstoreUrl: string;
  postgresUrl: string;
  /** Stops what is embedded, Postgres first: nothing writes the log any more when it goes. */
  stop(): Promise<void>;
}

/** Starts what no setting says is elsewhere, both at once, after clearing up after a killed run. */
export async function startStores(config: Config, folder: DataFolder, log: Logger): Promise<Stores> {
  const eventstoreDir = join(folder.path, 'eventstore');
  const postgresDir = join(folder.path, 'postgres');
  const pidFile = join(folder.run, 'eventstore.pid');
  await Promise.all([
    endLeftoverPostgres(postgresDir),
    endLeftover({ pidFile, mark: eventstoreDir, escalation: [['SIGTERM', 10_000], ['SIGKILL', 5_000]] }),
  ]);
  await checkPorts(portsOf(config));

  const started = await Promise.allSettled([
    config.eventstoreUrl ? elsewhere(config.eventstoreUrl, reachEventStore) : embeddedEventStore(eventstoreDir, config.eventstorePort, pidFile, log),
    config.postgresUrl ? elsewhere(config.postgresUrl, reachPostgres) : embeddedPostgres(postgresDir, config.postgresPort, log),
  ]);
  const stop = async () => {
    for (const outcome of started.toReversed()) if (outcome.status === 'fulfilled') await outcome.value.stop();
  };
  const [eventstore, postgres] = started;
  if (eventstore.status === 'fulfilled' && postgres.status === 'fulfilled')
    return { eventstoreUrl: eventstore.value.url, postgresUrl: postgres.value.url, stop };
  await stop();
  throw eventstore.status === 'rejected' ? eventstore.reason : (postgres as PromiseRejectedResult).reason;
}

interface Store {
  url: string;
  stop(): Promise<void>;
}

async function elsewhere(url: string, reach: (url: string) => Promise<void>): Promise<Store> {
  await reach(url);
  return { url, stop: async () => {} };
}

async function embeddedEventStore(dir: string, port: number, pidFile: string, log: Logger): Promise<Store> {
  let chosen = port;
  const kept = await keepRunning('event store', async () => {
    const running = await startNodeProcess<{ port: number }>({
      name: 'event store',
      script: fileURLToPath(new URL('../eventstore/embedded/main.js', import.meta.url)),
      // TARL has projections of its own: links would only double the log.
      args: ['--dir', dir, '--port', String(chosen), '--projections', 'none'],
      nodeFlags: MEMORY_FLAGS,
      pidFile,
      log: (line) => log.info({ part: 'event store' }, line),
    });
    chosen = running.ready.port;
    return running;
  }, log);
  return { url: `esdb://127.0.0.1:${chosen}?tls=false`, stop: kept.stop };
}

async function embeddedPostgres(dir: string, port: number, log: Logger): Promise<Store> {
  let chosen = port;
  const kept = await keepRunning('Postgres', async () => {
    const running = await startPostgres({ dir, port: chosen, log: (line) => logPostgres(line, log) });
    chosen = running.port;
    return running;
  }, log);
  return { url: kept.first.socketUrl, stop: kept.stop };
}

/** Errors of single statements are reported by those who sent them, and connections end whenever Postgres stops. */
function logPostgres(line: string, log: Logger): void {
  const level = /^(FATAL|PANIC|WARNING): (?!.*terminating connection)/.test(line) ? 'warn' : 'debug';
  log[level]({ part: 'Postgres' }, line);
}

function portsOf(config: Config): WantedPort[] {
  const embedded: WantedPort[] = [];
  if (!config.eventstoreUrl) embedded.push({ host: '127.0.0.1', port: config.eventstorePort, setting: 'eventstorePort' });
  if (!config.postgresUrl) embedded.push({ host: '127.0.0.1', port: config.postgresPort, setting: 'postgresPort' });
  const wires = config.roles.includes('api') ? (['httpPort', 'grpcPort', 'graphqlPort'] as const) : (['httpPort'] as const);
  const api = wires.map((setting) => ({ host: config.host, port: config[setting], setting }));
  return [...api, ...embedded];
}
