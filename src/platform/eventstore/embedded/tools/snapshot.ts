import { join } from 'node:path';
import { open, type Database, type Key, type RootDatabase, type Transaction } from 'lmdb';
import { BlockLog } from '../store/block-log.js';
import { DATA_FILE, damaged, isDamage, lookAtDataFile } from '../store/data-file.js';
import { LAYOUT_VERSION, type IndexTable, type LogTable, type NamesTable, type SettingsTable } from '../store/environment.js';
import { FolderProblem, layoutOf } from '../store/folder.js';
import { NameIndex } from '../store/name-index.js';
import type { Pending } from '../store/pending.js';
import { pendingOf } from '../store/recovery.js';
import { StreamIndex } from '../store/stream-index.js';
import { ScavengedRanges } from '../operations/scavenged-ranges.js';
import { momentOf, type JournalPart, type Moment } from './journal-beside.js';

/** One moment of a data folder, to be read while a node may be running on it and writing. */
export interface Snapshot {
  readonly tables: { readonly log: LogTable; readonly index: IndexTable; readonly names: NamesTable; readonly settings: SettingsTable };
  readonly journal: JournalPart;
  /** What of the log is in the journal only. */
  readonly pending: Pending;
  readonly log: BlockLog;
  readonly index: StreamIndex;
  readonly names: NameIndex;
  /** Blocks from this position on may be missing from the indexes: a node finds them again when it starts. */
  readonly indexedTo: number;
  readonly scavenged: ScavengedRanges;
  close(): Promise<void>;
}

/** Opens a data folder to read it only. Throws FolderProblem when there is none or when a newer version wrote it. */
export function openSnapshot(dir: string): Snapshot {
  requireStore(dir);
  const root = openForReading(dir);
  const tables = {
    log: root.openDB<Buffer, number>('log', { encoding: 'binary' }),
    index: root.openDB<Buffer, Buffer>('index', { encoding: 'binary', keyEncoding: 'binary' }),
    names: root.openDB<Buffer, Buffer>('names', { encoding: 'binary', keyEncoding: 'binary' }),
    settings: root.openDB<Buffer, string>('settings', { encoding: 'binary' }),
  };
  const { transaction, journal } = momentIn(dir, root, tables);
  const pending = pendingOf(journal.entries);
  const [log, index, names, settings] = [at(tables.log, transaction), at(tables.index, transaction), at(tables.names, transaction), at(tables.settings, transaction)];
  return {
    tables: { log, index, names, settings },
    journal,
    pending,
    log: new BlockLog({ log }, pending, 1),
    index: new StreamIndex({ index }),
    names: new NameIndex({ names }),
    indexedTo: settings.get('indexed-to')?.readDoubleLE(0) ?? 0,
    scavenged: ScavengedRanges.load(settings),
    close: async () => {
      transaction.done();
      await root.close();
    },
  };
}

function momentIn(dir: string, root: RootDatabase, { log, settings }: Pick<Snapshot['tables'], 'log' | 'settings'>): Moment {
  try {
    return momentOf(dir, log, settings);
  } catch (error) {
    void root.close();
    throw isDamage(error) ? damaged(dir, error.message) : error;
  }
}

/** Refuses a folder that holds no store that this version can read. */
export function requireStore(dir: string): void {
  if (layoutOf(dir, LAYOUT_VERSION) === undefined || lookAtDataFile(dir) === 'absent') throw new FolderProblem(`There is no event store in ${dir}.`);
}

/** The file of a store, opened beside the node that may be writing it. */
export const openForReading = (dir: string) =>
  open({ path: join(dir, DATA_FILE), noSubdir: true, encoding: 'binary', maxDbs: 8, readOnly: true });

/** A table whose every read sees the moment of one transaction. */
function at<K extends Key>(table: Database<Buffer, K>, transaction: Transaction): Database<Buffer, K> {
  const pinned: Pick<Database<Buffer, K>, 'get' | 'getBinary' | 'getKeys' | 'getRange'> = {
    get: (key: K) => table.get(key, { transaction }),
    // Its options are missing from the declaration.
    getBinary: (key: K) => (table.getBinary as (key: K, options: { transaction: Transaction }) => Buffer | undefined).call(table, key, { transaction }),
    getKeys: (options) => table.getKeys({ ...options, transaction }),
    getRange: (options) => table.getRange({ ...options, transaction }),
  };
  return pinned as Database<Buffer, K>;
}
