import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Addresses } from '../../src/cli/local-run.js';
import { until } from './until.js';

const node = resolve('node_modules/node/bin/node');
const cli = resolve('dist/src/cli/main.js');

/** Free ports for everything, and nothing inherited from the developer's own settings. */
export const testEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  TARL_HTTP_PORT: '0', TARL_GRPC_PORT: '0', TARL_GRAPHQL_PORT: '0', TARL_EVENTSTORE_PORT: '0', TARL_POSTGRES_PORT: '0',
  TARL_LOG_LEVEL: 'warn', TARL_MIN_POSITION_WAIT_MS: '60000',
  // Nothing is put into the log by the clock.
  TARL_METRICS_CRON: '0 0 1 1 *',
};

/** A process of the `tarl` command. */
export interface TarlProcess {
  pid: number;
  child: ChildProcess;
  /** All it has printed so far. */
  output: { out: string; err: string };
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | string>;
}

export interface TarlOptions {
  env?: NodeJS.ProcessEnv;
  /** Runs it as this user and group, which only root can. */
  uid?: number;
  /** Goes the user's way through bin/tarl.mjs instead of starting the compiled program itself. */
  wrapped?: boolean;
}

/** Starts `tarl` with these arguments, compiled, in a process of its own. */
export function tarl(args: readonly string[], { env = {}, uid, wrapped = false }: TarlOptions = {}): TarlProcess {
  const child = spawn(node, [wrapped ? resolve('bin/tarl.mjs') : cli, ...args], {
    env: { ...testEnvironment, ...env }, stdio: ['ignore', 'pipe', 'pipe'], uid, gid: uid,
  });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output.out += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { output.err += text; });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  return { pid: child.pid!, child, output, ended };
}

/** A platform that is ready, with what it said about itself. */
export interface RunningTarl extends TarlProcess {
  addresses: Addresses;
  /** Only at the first start on a data folder. */
  ownerKey?: string;
  /** Asks it to stop as Ctrl-C does; resolves with its exit code. */
  stop(): Promise<number | string>;
}

/** Starts the platform on a data folder, with more arguments where some are given, and waits until it is ready. */
export async function tarlUp(dataDir: string, { args = [], ...options }: TarlOptions & { args?: readonly string[] } = {}): Promise<RunningTarl> {
  const started = tarl(['up', '--json', ...args], { ...options, env: { TARL_DATA_DIR: dataDir, ...options.env } });
  let failed: number | string | undefined;
  void started.ended.then((code) => { failed = code; });
  const line = await until('tarl up is ready', () => {
    if (failed !== undefined) throw new Error(`tarl up ended with ${failed}: ${started.output.err}`);
    return /^\{.*\}$/m.exec(started.output.out)?.[0];
  }).catch((error: unknown) => {
    // Nobody else knows of it, and Jest would wait for its end.
    started.child.kill('SIGKILL');
    throw error;
  });
  return {
    ...started,
    ...(JSON.parse(line) as { addresses: Addresses; ownerKey?: string }),
    stop() {
      started.child.kill('SIGINT');
      return started.ended;
    },
  };
}

/** A place for the data of one test, private to this user unless it says for whom else it is. */
export async function dataFolder(uid?: number): Promise<{ path: string; remove(): Promise<void> }> {
  const parent = await mkdtemp(join(tmpdir(), 'tarl-test-data-'));
  if (uid !== undefined) await chown(parent, uid, uid);
  return { path: join(parent, 'data'), remove: () => rm(parent, { recursive: true }) };
}
