import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinaries, type Binaries } from './binaries.js';
import { prepareCluster, socketFolder, writeSettings, type Settings } from './cluster.js';
import { explainFailure, isPortTaken, isStillEnding } from './failure.js';
import { makeFolder } from '../make-folder.js';
import { endLeftover } from '../supervise/leftover.js';
import type { Part } from '../supervise/keep-running.js';
import { chooseIdentity, type Identity } from './identity.js';

/** What the embedded Postgres needs to start. */
export interface PostgresOptions {
  /** The folder for data and password; only one process may use it at a time, which the caller sees to. */
  dir: string;
  /** The port on 127.0.0.1; 0 takes a free one. */
  port: number;
  /** Gets what Postgres prints, line by line. */
  log?: (line: string) => void;
  /** Postgres settings that differ from TARL's own. */
  settings?: Settings;
}

/** An embedded Postgres that accepts connections. */
export interface RunningPostgres extends Part {
  /** The address of its database `postgres`, with user and password. */
  url: string;
  /** The same by its Unix socket, over which a query costs both sides a third less; over TCP where there is none. */
  socketUrl: string;
  port: number;
  pid: number;
}

/**
 * Starts Postgres on a folder, making the database at the first start and clearing up after a killed one. It ends with
 * this process, however that ends. Fails with a SetupError that says what to do.
 */
export async function startPostgres({ dir, port, log = () => {}, settings = {} }: PostgresOptions): Promise<RunningPostgres> {
  const folder = resolve(dir);
  makeFolder(folder, 0o700);
  const binaries = findBinaries();
  await endLeftoverPostgres(folder);
  const identity = await chooseIdentity(binaries.postgres, folder);
  const password = await prepareCluster(folder, binaries, identity);
  const { child, chosen, sockets } = await launchOnPort(port, { folder, binaries, identity, log, settings });
  const url = `postgres://tarl:${password}@127.0.0.1:${chosen}/postgres`;
  return {
    url,
    socketUrl: sockets === undefined ? url : `${url}?host=${encodeURIComponent(sockets)}`,
    port: chosen,
    pid: child.pid!,
    ended: once(child, 'exit').then(([code, signal]) => `it ended with ${signal ?? `code ${code}`}`),
    stop: () => stop(child),
  };
}

/**
 * Ends the Postgres of a killed TARL. Its pid file has to go too: Postgres would refuse to start when the pid meanwhile
 * belongs to any other process.
 */
export function endLeftoverPostgres(dir: string): Promise<void> {
  const data = join(resolve(dir), 'data');
  return endLeftover({
    pidFile: join(data, 'postmaster.pid'),
    mark: data,
    // Fast, with a checkpoint; immediate, with a recovery at the next start; at once.
    escalation: [['SIGINT', 15_000], ['SIGQUIT', 5_000], ['SIGKILL', 5_000]],
  });
}

/** What a launch needs beside the port. */
interface Launching {
  readonly folder: string;
  readonly binaries: Binaries;
  readonly identity: Identity;
  readonly log: (line: string) => void;
  readonly settings: Settings;
}

/** Launches it on the port, or for 0 on one that is free; that may be somebody else's before Postgres has it, and then another one is taken. */
async function launchOnPort(port: number, { folder, binaries, identity, log, settings }: Launching): Promise<{ child: ChildProcess; chosen: number; sockets: string | undefined }> {
  for (let attempt = 1; ; attempt++) {
    const chosen = port === 0 ? await freePort() : port;
    const sockets = await socketFolder(folder, identity.owner);
    await writeSettings(folder, identity.owner, { port: chosen, sockets }, settings);
    const outcome = await launchPatiently(folder, binaries, identity, log);
    if ('child' in outcome) return { child: outcome.child, chosen, sockets };
    if (port !== 0 || attempt === 5 || !isPortTaken(outcome.lines)) throw explainFailure(outcome.lines, { dir: folder, port: chosen });
  }
}

/** A Postgres that runs, or what one said that does not. */
type Launched = { readonly child: ChildProcess } | { readonly lines: readonly string[] };

/** The processes of a killed Postgres take a moment to notice; until then the next one refuses to start. */
async function launchPatiently(dir: string, binaries: Binaries, identity: Identity, log: (line: string) => void): Promise<Launched> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await launch(dir, binaries, identity, log);
    if ('child' in outcome || attempt === 20 || !isStillEnding(outcome.lines)) return outcome;
    await delay(250);
  }
}

/**
 * A watcher beside Postgres reads from a pipe that only this process holds: at its end, which comes also when this
 * process is killed, Postgres is told to stop. The shell then becomes Postgres, so `$$` is its pid.
 */
const guarded = '(read -r line <&3 || kill -INT $$) >/dev/null 2>&1 & exec "$@" 3<&-';

async function launch(dir: string, { postgres }: Binaries, identity: Identity, log: (line: string) => void): Promise<Launched> {
  const [command, ...args] = [...identity.prefix, 'sh', '-c', guarded, 'guard', postgres, '-D', join(dir, 'data')];
  const child = spawn(command!, args, {
    ...identity.spawn,
    cwd: dir,
    // A session of its own: Ctrl-C in the terminal reaches TARL alone, which stops its parts in order.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  const pipe = child.stdio[3] as Writable;
  child.once('exit', () => pipe.end('ended\n'));
  pipe.on('error', (error) => log(`The watcher ended before Postgres did: ${error.message}`));
  const lines: string[] = [];
  return new Promise((done, fail) => {
    createInterface({ input: child.stderr! }).on('line', (line) => {
      log(line);
      if (lines.push(line) > 50) lines.shift();
      if (line.includes('database system is ready to accept connections')) done({ child });
    });
    child.once('error', fail);
    child.once('close', () => done({ lines }));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGINT');
  const impatient = setTimeout(() => child.kill('SIGQUIT'), 30_000);
  await gone;
  clearTimeout(impatient);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}
