import { relative, join } from 'node:path';
import type { Command } from 'commander';
import { pino, type Logger } from 'pino';
import type { Platform } from '../main.js';
import { readConfig, roles, type Config } from '../platform/config/index.js';
import { createLogger } from '../platform/telemetry/logger.js';
import { openDataFolder, type DataFolder } from '../platform/supervise/data-folder.js';
import { startStores } from '../platform/supervise/stores.js';
import { makeLocalKey, removeLocalRun, writeLocalRun } from './local-run.js';
import { step } from './step.js';
import { untilStopped } from './until-stopped.js';

/** `tarl up`: the whole platform, until Ctrl-C. */
export function up(program: Command): void {
  program.command('up')
    .description('Start the platform: event store, Postgres and API, all embedded unless a setting says otherwise.')
    .option('--roles <list>', `what this process does, by commas: ${roles.join(', ')}; all without it (or TARL_ROLES)`)
    .addHelpText('after', '\nExample:\n  $ TARL_HTTP_PORT=9090 tarl up\n')
    .action(async ({ roles }: { roles?: string }, command: Command) => run(Boolean(command.optsWithGlobals().json), roles));
}

async function run(json: boolean, wanted?: string): Promise<void> {
  const config = readConfig(wanted === undefined ? process.env : { ...process.env, TARL_ROLES: wanted });
  // Standard output is for people; the log, JSON lines, goes beside it.
  const log = createLogger(config.logLevel, pino.destination({ dest: 2, sync: true }));
  const stopped = untilStopped();
  const folder = await Promise.race([step('Waiting for the TARL before this one to end', () => openDataFolder(config.dataDir)), stopped]);
  if (typeof folder === 'string') return;
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => folder.release());
  const platform = await Promise.race([start(config, folder, log, cleanup), stopped]);
  // Asked to stop while still starting: what has started is stopped, and what has not ends with this process.
  if (typeof platform === 'string') return;
  console.log(json ? JSON.stringify({ addresses: platform.addresses, ownerKey: platform.ownerKey }) : welcome(platform, folder, config));
  const reason = await stopped;
  log.info({ reason }, 'stopping');
}

/** Starts everything in order, and leaves with the stack how to stop it in the opposite order. */
async function start(config: Config, folder: DataFolder, log: Logger, cleanup: AsyncDisposableStack): Promise<Platform> {
  await removeLocalRun(folder.run);
  const [stores, { startPlatform }] = await Promise.all([
    step('Starting the event store and Postgres', () => startStores(config, folder, log)).then((started) => {
      cleanup.defer(() => started.stop());
      return started;
    }),
    // Reading the rest of the program takes as long as starting the stores.
    import('../main.js'),
  ]);
  const localKey = makeLocalKey();
  const endpoints = { eventstoreUrl: stores.eventstoreUrl, postgresUrl: stores.postgresUrl, localKey };
  const platform = await step(config.roles.includes('api') ? 'Starting the API' : 'Starting to work', () => startPlatform(config, endpoints, log));
  cleanup.defer(() => platform.close());
  cleanup.defer(() => removeLocalRun(folder.run));
  const { rest, grpc, graphql } = platform.addresses;
  // Commands on this machine would ask in vain where nobody answers.
  if (grpc !== undefined && graphql !== undefined) await writeLocalRun(folder.run, { addresses: { rest, grpc, graphql }, key: localKey });
  return platform;
}

function welcome({ addresses, ownerKey }: Platform, folder: DataFolder, { roles }: Config): string {
  if (!roles.includes('api')) return `\nTARL is ready as ${roles.join(' and ')}.\n\n  Health   ${addresses.rest}/health/ready\n  Data     ${folder.path}\n\nCtrl-C stops it.\n`;
  const fromHere = relative(process.cwd(), join(folder.run, 'key'));
  const keyFile = fromHere.startsWith('..') ? join(folder.run, 'key') : fromHere;
  return `
TARL is ready.

  REST     ${addresses.rest}
  gRPC     ${addresses.grpc}
  GraphQL  ${addresses.graphql}
  Data     ${folder.path}
${ownerKey ? `\n  Owner key, shown only this once:\n  ${ownerKey}\n` : ''}
Try, in another terminal:
  curl -H "Authorization: Bearer $(cat ${keyFile})" ${addresses.rest}/api/v1/projects

Ctrl-C stops all of it.
`;
}
