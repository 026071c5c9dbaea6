import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { explainFailure } from './failure.js';
import type { Binaries } from './binaries.js';
import type { Identity } from './identity.js';

/** Postgres settings by name, as they stand in postgresql.conf. */
export type Settings = Readonly<Record<string, string | number>>;

/** For a machine that does other work too, and for data that can be projected again from the log. */
const laptop: Settings = {
  listen_addresses: '127.0.0.1',
  // Several processes may share it, each with some thirty at most.
  max_connections: 120,
  // A commit need not wait for the disk: rows and their checkpoint are in one transaction, so after a crash the
  // projections find an older but whole state and go on from its checkpoint. Nothing is known only here.
  synchronous_commit: 'off',
  // No replica and no archive reads the WAL; then a table filled in the transaction that created it needs none at all,
  // which is how a rebuild loads its shadow table.
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  shared_buffers: '64MB',
  work_mem: '16MB',
  maintenance_work_mem: '256MB',
  effective_cache_size: '1GB',
  random_page_cost: 1.1,
  // Each of these is a process that mostly waits.
  io_method: 'sync',
  max_logical_replication_workers: 0,
  max_parallel_workers_per_gather: 0,
  autovacuum_max_workers: 2,
  // A young table is soon known for what it holds.
  autovacuum_naptime: '15s',
  jit: 'off',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '',
  log_checkpoints: 'off',
};

/** Makes the cluster at the first start, and returns the password of its only user, `tarl`. */
export async function prepareCluster(dir: string, binaries: Binaries, identity: Identity): Promise<string> {
  const password = await readPassword(join(dir, 'password'));
  if (!existsSync(join(dir, 'data'))) await initialise(dir, password, binaries, identity);
  return password;
}

/** Where Postgres is to be reached. */
export interface Ways {
  readonly port: number;
  /** The folder of its Unix socket; none where it is left out. */
  readonly sockets?: string;
}

/** Writes the configuration anew at each start, so that a newer TARL brings its own. */
export async function writeSettings(dir: string, owner: number, { port, sockets = '' }: Ways, overrides: Settings): Promise<void> {
  const settings = Object.entries({ ...laptop, port, unix_socket_directories: sockets, ...overrides });
  const lines = settings.map(([name, value]) => `${name} = '${value}'\n`).join('');
  await writeOwned(join(dir, 'data/postgresql.conf'), `# Written by TARL at each start.\n${lines}`, owner);
  await writeOwned(join(dir, 'data/pg_hba.conf'), 'host all tarl 127.0.0.1/32 scram-sha-256\nlocal all tarl scram-sha-256\n', owner);
}

/** What a system's socket addresses hold at least, Postgres' own name of the file included. */
const longestSocketPath = 103;

/**
 * An empty folder for the Unix socket: what a killed Postgres left there would keep the next one from starting.
 * Undefined where its path is too long for a socket, or would not stand in the settings as it is.
 */
export async function socketFolder(dir: string, owner: number): Promise<string | undefined> {
  const folder = join(dir, 'sockets');
  await rm(folder, { recursive: true, force: true });
  if (Buffer.byteLength(join(folder, '.s.PGSQL.65535')) > longestSocketPath || /[,"'\\]/.test(folder)) return undefined;
  await mkdir(folder, { mode: 0o700 });
  if (process.getuid?.() === 0) await chown(folder, owner, -1);
  return folder;
}

async function readPassword(file: string): Promise<string> {
  if (!existsSync(file)) await writeFile(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return (await readFile(file, 'utf8')).trim();
}

/** Initialises beside the final place and renames: a crash in the middle leaves nothing that looks like a cluster. */
async function initialise(dir: string, password: string, binaries: Binaries, identity: Identity): Promise<void> {
  const draft = join(dir, 'data.new');
  const passwordFile = join(dir, 'initial-password');
  await rm(draft, { recursive: true, force: true });
  await writeOwned(passwordFile, password, identity.owner);
  const [command, ...args] = [
    ...identity.prefix, binaries.initdb, `--pgdata=${draft}`, '--username=tarl', `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256', '--encoding=UTF8',
    // Text sorts by its bytes, the same on every machine and in the log's own order of keys.
    '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
  ];
  try {
    await promisify(execFile)(command!, args, { ...identity.spawn, cwd: dir });
    await rename(draft, join(dir, 'data'));
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw explainFailure(`${stdout}\n${stderr}`.split('\n'), { dir, cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function writeOwned(file: string, text: string, owner: number): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  if (process.getuid?.() === 0) await chown(file, owner, -1);
}
