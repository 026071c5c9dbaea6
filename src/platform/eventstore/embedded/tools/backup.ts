import { copyFileSync, existsSync, fsyncSync, openSync, closeSync, renameSync, rmSync, statSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../../make-folder.js';
import { FolderProblem } from '../store/folder.js';
import { DATA_FILE } from '../store/data-file.js';
import { storeInCopy, type JournalPart } from './journal-beside.js';
import { openForReading, openSnapshot, requireStore } from './snapshot.js';
import { verifyStore, type VerifyReport } from './verify.js';

/** Hears of bytes written so far, of about so many. */
export type CopyProgress = (done: number, total: number) => void;

const LAYOUT_FILE = 'layout.json';
const UNFINISHED = 'events.mdb.part';
const LOOK_EVERY_MS = 200;

/**
 * Copies a store as it is at this moment, while a node may be running on it. The copy is itself a data folder:
 * compact, on disk when this resolves, and complete or not there.
 */
export async function backupStore(dir: string, to: string, progress: CopyProgress = () => undefined): Promise<{ bytes: number }> {
  requireStore(dir);
  requireEmpty(to);
  const part = join(to, UNFINISHED);
  const journal = await journalOf(dir);
  const root = openForReading(dir);
  const looking = setInterval(() => existsSync(part) && progress(statSync(part).size, statSync(join(dir, DATA_FILE)).size), LOOK_EVERY_MS);
  try {
    await root.backup(part, true);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    clearInterval(looking);
    await root.close();
  }
  await storeInCopy(part, journal);
  finish(part, join(to, DATA_FILE));
  copyFileSync(join(dir, LAYOUT_FILE), join(to, LAYOUT_FILE));
  sync(join(to, LAYOUT_FILE));
  sync(to);
  return { bytes: statSync(join(to, DATA_FILE)).size };
}

/** Makes a data folder out of a backup, which is walked through first: what is damaged is not restored. */
export async function restoreStore(from: string, dir: string, progress?: (done: number, total: number) => void): Promise<VerifyReport> {
  requireStore(from);
  requireEmpty(dir);
  const report = await verifyStore(from, progress);
  if (report.problemCount > 0) throw new FolderProblem(`The backup in ${from} is damaged: ${report.problems[0]}`);
  copyFileSync(join(from, DATA_FILE), join(dir, UNFINISHED));
  await storeInCopy(join(dir, UNFINISHED), await journalOf(from));
  copyFileSync(join(from, LAYOUT_FILE), join(dir, LAYOUT_FILE));
  sync(join(dir, LAYOUT_FILE));
  finish(join(dir, UNFINISHED), join(dir, DATA_FILE));
  sync(dir);
  return report;
}

/** What of a store is in its journal only. */
async function journalOf(dir: string): Promise<JournalPart> {
  const snapshot = openSnapshot(dir);
  await snapshot.close();
  return snapshot.journal;
}

function requireEmpty(dir: string): void {
  makeFolder(dir);
  if (readdirSync(dir).some((name) => name !== UNFINISHED)) throw new FolderProblem(`The folder ${dir} is not empty.`);
}

function finish(part: string, whole: string): void {
  sync(part);
  renameSync(part, whole);
}

function sync(path: string): void {
  const handle = openSync(path, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
