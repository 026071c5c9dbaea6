import { mkdirSync } from 'node:fs';
import { open, type Database, type RootDatabase } from 'lmdb';
import { takeFolder } from './folder.js';

/** The version of the layout that this code writes. A folder of a later one is refused. */
export const LAYOUT_VERSION = 1;

/** Blocks by their first position. */
export type LogTable = Database<Buffer, number>;
/** `stream number, first revision in the block` → where, see store/stream-index.ts. */
export type IndexTable = Database<Buffer, Buffer>;
/** Stream name → stream number. */
export type NamesTable = Database<Buffer, Buffer>;
/** Small things by name: the layout's version, groups, projections, users. */
export type SettingsTable = Database<Buffer, string>;

/** The LMDB environment of one data folder. */
export interface Environment {
  readonly root: RootDatabase;
  readonly log: LogTable;
  readonly index: IndexTable;
  readonly names: NamesTable;
  readonly settings: SettingsTable;
  close(): Promise<void>;
}

/** Opens a data folder for this process alone. Throws FolderProblem, with a sentence for the operator, when that cannot be. */
export async function openEnvironment(dir: string, durable: boolean): Promise<Environment> {
  mkdirSync(dir, { recursive: true });
  const folder = takeFolder(dir, LAYOUT_VERSION);
  const root = open({
    path: `${dir}/events.mdb`,
    noSubdir: true,
    encoding: 'binary',
    maxDbs: 8,
    // Without this, every page that was ever read stays mapped and counts as this process's memory.
    remapChunks: true,
    overlappingSync: false,
    noSync: !durable,
    noMemInit: true,
  });
  return {
    root,
    log: root.openDB<Buffer, number>('log', { encoding: 'binary' }),
    index: root.openDB<Buffer, Buffer>('index', { encoding: 'binary', keyEncoding: 'binary' }),
    names: root.openDB<Buffer, Buffer>('names', { encoding: 'binary', keyEncoding: 'binary' }),
    settings: root.openDB<Buffer, string>('settings', { encoding: 'binary' }),
    close: async () => {
      await root.close();
      folder.release();
    },
  };
}
