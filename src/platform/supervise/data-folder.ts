import { existsSync } from 'node:fs';
import { readFile, statfs, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { makeFolder } from '../make-folder.js';
import { SetupError } from './setup-error.js';

/** How what TARL keeps is laid out on disk; one more with each change that an older TARL would misread. */
const layout = 1;

/** With less room than this neither store can even start. */
const leastFree_bytes = 100 * 1024 * 1024;

/** What SQLite, which keeps the lock, says of files that it cannot open or not write. */
const [cannotOpen, readOnly] = [14, 8];

/** SQLite takes paths of 512 bytes, with the name of the lock and what it may add. */
const longestPath_bytes = 490;

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
    makeFolder(run, 0o700);
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
  const why = reasonOf(error as { code?: string; errcode?: number; syscall?: string }, path);
  return why === undefined ? error : new SetupError(why, { cause: error });
}

function reasonOf({ code, errcode, syscall }: { code?: string; errcode?: number; syscall?: string }, path: string): string | undefined {
  const another = 'choose another folder with TARL_DATA_DIR.';
  const isTooLong = code === 'ENAMETOOLONG' || (errcode === cannotOpen && Buffer.byteLength(path) > longestPath_bytes);
  if (isTooLong) return `The path of the data folder is too long for this system (${Buffer.byteLength(path)} bytes): ${another}`;
  if (code === 'ENOSPC') return `The disk that holds ${path} is full: free some space and start again.`;
  if (code === 'ENOTDIR' || code === 'EEXIST') return `${path} is a file, or lies within one: ${another}`;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || errcode === cannotOpen || errcode === readOnly) return `This user cannot write into ${path}: ${another}`;
  if (code === 'ENOENT' || code === 'ELOOP') return `No folder can be made at ${path}: ${another}`;
  return syscall === undefined ? undefined : `${path} cannot be used (${code} at ${syscall}): ${another}`;
}
