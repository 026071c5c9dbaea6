import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findConnection } from '../src/cli/connection.js';
import { CommandFailure, exitCodes } from '../src/cli/exit-codes.js';
import { readLocalRun, type LocalRun } from '../src/cli/local-run.js';
import { step } from '../src/cli/step.js';
import type { Config } from '../src/platform/config/index.js';
import { packageRoot } from '../src/platform/root.js';

/** A platform that answers, and how this demo came by it. */
export interface FoundPlatform {
  readonly connection: LocalRun;
  /** Its process, where the demo started it. */
  readonly pid?: number;
  /** Where that process writes its log. */
  readonly log?: string;
  /** In clear only when this was its very first start. */
  readonly ownerKey?: string;
}

/** The platform that is up, or one started in the background on the data folder, to stay when the demo ends. */
export async function findOrStartPlatform(config: Config): Promise<FoundPlatform> {
  const connection = await findConnection(config).catch((error: unknown) => {
    if (error instanceof CommandFailure && error.exitCode === exitCodes.unavailable) return undefined;
    throw error;
  });
  if (connection && (await isReady(connection))) return { connection };
  return step('Starting the platform', () => start(config));
}

async function isReady({ addresses }: LocalRun): Promise<boolean> {
  // Nothing that listens, or something else: either way a platform is wanted.
  return fetch(`${addresses.rest}/health/ready`).then(({ ok }) => ok, () => false);
}

async function start(config: Config): Promise<FoundPlatform> {
  // Only this user may read it: the first start says the owner key.
  const folder = resolve(config.dataDir, 'demo');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [said, log] = [join(folder, 'up.json'), join(folder, 'up.log')];
  const { npm_lifecycle_event: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(packageRoot, 'dist/src/cli/main.js'), 'up', '--json'], {
    detached: true,
    stdio: ['ignore', openSync(said, 'w', 0o600), openSync(log, 'w')],
    env: { ...env, TARL_DATA_DIR: resolve(config.dataDir) },
  });
  const ended = once(child, 'exit');
  let gone = false;
  void ended.then(() => (gone = true));
  let line: RegExpExecArray | null = null;
  while (!(line = /^\{.*\}$/m.exec(readFileSync(said, 'utf8')))) {
    if (gone) throw new CommandFailure(readFileSync(log, 'utf8').trim() || 'The platform ended while it started.', exitCodes.failure);
    await delay(50);
  }
  child.unref();
  rmSync(said);
  const { ownerKey } = JSON.parse(line[0]) as { ownerKey?: string };
  const connection = (await readLocalRun(config.dataDir))!;
  return { connection, pid: child.pid!, log, ...(ownerKey !== undefined && { ownerKey }) };
}
