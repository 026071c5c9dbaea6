import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A data folder that cannot be used, told in one sentence for the operator. */
export class FolderProblem extends Error {
  override name = 'FolderProblem';
}

/** Marks the folder as this process's own and checks that its layout is one this code knows. */
export function takeFolder(dir: string, version: number): { release(): void } {
  layoutOf(dir, version);
  const lock = join(dir, 'lock');
  if (!tryLock(lock)) {
    const owner = readOwner(lock);
    if (owner !== undefined && isAlive(owner)) throw new FolderProblem(`The data folder ${dir} is in use by another process (${owner.pid}).`);
    // The owner was killed and could not clean up.
    rmSync(lock, { force: true });
    if (!tryLock(lock)) throw new FolderProblem(`The data folder ${dir} is in use by another process.`);
  }
  return { release: () => rmSync(lock, { force: true }) };
}

/** The version of the layout in a folder; undefined when nothing was written there yet. Refuses one that this code does not know. */
export function layoutOf(dir: string, version: number): number | undefined {
  const file = join(dir, LAYOUT_FILE);
  if (!existsSync(file)) return undefined;
  const found = (JSON.parse(readFileSync(file, 'utf8')) as { layout: number }).layout;
  if (found > version) throw new FolderProblem(`The data folder ${dir} was written by a newer version (layout ${found}; this version knows ${version}).`);
  return found;
}

const LAYOUT_FILE = 'layout.json';

/** Notes which layout a folder has, once it holds a store; one of an earlier layout has this one from now on. */
export function noteLayout(dir: string, version: number): void {
  if (layoutOf(dir, version) === version) return;
  const file = join(dir, LAYOUT_FILE);
  const handle = openSync(`${file}.part`, 'w');
  writeSync(handle, `${JSON.stringify({ layout: version })}\n`);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(`${file}.part`, file);
  syncFolder(dir);
}

/** Makes names in a folder durable. */
export function syncFolder(dir: string): void {
  const handle = openSync(dir, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

interface Owner {
  pid: number;
  /** When that process started, so that a recycled process id is not taken for the owner. */
  started: string | undefined;
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, JSON.stringify({ pid: process.pid, started: startedAt(process.pid) } satisfies Owner), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readOwner(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner;
  } catch (error) {
    // Half written by a process that was killed, or just removed by its owner.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return owner.started === undefined || owner.started === startedAt(owner.pid);
}

/** The start time of a process, where the system tells it. */
function startedAt(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
