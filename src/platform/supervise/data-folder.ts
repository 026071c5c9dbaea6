import { existsSync } from 'node:fs';
import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { SetupError } from './setup-error.js';

/** How what TARL keeps is laid out on disk; one more with each change that an older TARL would misread. */
const layout = 1;

/** With less room than this neither store can even start. */
const leastFree_bytes = 100 * 1024 * 1024;

/** A data folder that this process alone uses, until it releases it or ends. */
export interface DataFolder {
  path: string;
  /** Facts about the present run, for commands on the same machine. */
  run: string;
  release(): void;
}

/** Makes or opens the data folder. Fails with a SetupError when another TARL uses it, a newer one wrote it, or it is full. */
export async function openDataFolder(dir: string): Promise<DataFolder> {
  const path = resolve(dir);
  const run = join(path, 'run');
  try {
    await mkdir(run, { recursive: true, mode: 0o700 });
    const lock = await takeLock(path, run);
    await checkSpace(path);
    await checkLayout(path);
    return { path, run, release: () => lock.close() };
  } catch (error) {
    throw explain(error, path);
  }
}

/**
 * An exclusive lock on a SQLite file: the system frees it with the process, however that ends, which a file with a pid
 * in it cannot promise. A TARL without a file of addresses is about to stop or to start, so it gets a moment.
 */
async function takeLock(path: string, run: string): Promise<DatabaseSync> {
  const lock = new DatabaseSync(join(path, 'lock'));
  for (let attempt = 1; ; attempt++) {
    try {
      lock.exec('pragma journal_mode = memory; begin exclusive');
      return lock;
    } catch (error) {
      const busy = (error as { errcode?: number }).errcode === 5;
      if (!busy) throw error;
      if (attempt === 100 || existsSync(join(run, 'local.json')))
        throw new SetupError(`Another TARL is running on ${path}: stop it, or choose another folder with TARL_DATA_DIR.`, { cause: error });
      await delay(100);
    }
  }
}

async function checkSpace(path: string): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  if (bavail * bsize < leastFree_bytes)
    throw new SetupError(`The disk that holds ${path} is full: TARL needs at least ${leastFree_bytes / 1024 / 1024} MiB to start.`);
}

async function checkLayout(path: string): Promise<void> {
  const file = join(path, 'layout');
  if (!existsSync(file)) await writeFile(file, `${layout}\n`);
  const found = Number(await readFile(file, 'utf8'));
  if (!Number.isInteger(found)) throw new SetupError(`${file} is damaged: it must hold the number of the folder's layout.`);
  if (found > layout)
    throw new SetupError(
      `${path} was written by a newer TARL (layout ${found}; this one knows ${layout}): ` +
      'use that version, or choose another folder with TARL_DATA_DIR.',
    );
}

function explain(error: unknown, path: string): unknown {
  const { code, errcode } = error as { code?: string; errcode?: number };
  const sqliteCannotOpen = errcode === 14 || errcode === 8;
  if (code === 'ENOSPC') return new SetupError(`The disk that holds ${path} is full: free some space and start again.`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST' || sqliteCannotOpen)
    return new SetupError(`This user cannot write into ${path}: choose another folder with TARL_DATA_DIR.`, { cause: error });
  return error;
}
