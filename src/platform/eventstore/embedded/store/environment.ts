import { join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';
import { makeFolder } from '../../../make-folder.js';
import { inTransactions } from './transaction.js';
import { DATA_FILE } from './data-file.js';
import { noteLayout, takeFolder } from './folder.js';

/** The version of the layout that this code writes. A folder of a later one is refused. */
export const LAYOUT_VERSION = 2;

/** Blocks by their first position. */
export type LogTable = Database<Buffer, number>;
/** `stream number, first revision in the block` → where, see store/stream-index.ts. */
export type IndexTable = Database<Buffer, Buffer>;
/** Stream name → stream number. */
export type NamesTable = Database<Buffer, Buffer>;
/** Small things by name: the layout's version, groups, projections, users. */
export type SettingsTable = Database<Buffer, string>;

/** The LMDB environment of one data folder. Its tables are replaced now and then: ask for them each time. */
export class Environment {
  root!: RootDatabase;
  log!: LogTable;
  index!: IndexTable;
  names!: NamesTable;
  settings!: SettingsTable;

  /** Opens a data folder for this process alone. Throws FolderProblem, with a sentence for the operator, when that cannot be. */
  static open(dir: string, isDurable: boolean): Environment {
    makeFolder(dir);
    const folder = takeFolder(dir, LAYOUT_VERSION);
    try {
      const environment = new Environment(dir, isDurable, folder);
      noteLayout(dir, LAYOUT_VERSION);
      return environment;
    } catch (error) {
      folder.release();
      throw error;
    }
  }

  private constructor(
    readonly dir: string,
    /** Whether what is written survives the machine; a temporary store need not. */
    readonly isDurable: boolean,
    private readonly folder: { release(): void },
  ) {
    this.openTables();
  }

  /**
   * Closes the environment and opens it again. LMDB keeps every page that was ever read mapped,
   * and those count as this process's memory; only this lets go of them. Call it in a turn of its
   * own while nothing is being written: until it resolves, the tables cannot be used.
   */
  async remap(): Promise<void> {
    await this.root.close();
    this.openTables();
  }

  async close(): Promise<void> {
    await this.root.close();
    this.folder.release();
  }

  private openTables(): void {
    const root = open({
      path: join(this.dir, DATA_FILE),
      noSubdir: true,
      encoding: 'binary',
      maxDbs: 8,
      overlappingSync: false,
      noSync: !this.isDurable,
      noMemInit: true,
      // Every change is in a transaction of its own making; those that LMDB's binding makes fail unheard.
      eventTurnBatching: false,
    });
    this.root = root;
    this.log = inTransactions(root.openDB<Buffer, number>('log', { encoding: 'binary' }));
    this.index = inTransactions(root.openDB<Buffer, Buffer>('index', { encoding: 'binary', keyEncoding: 'binary' }));
    this.names = inTransactions(root.openDB<Buffer, Buffer>('names', { encoding: 'binary', keyEncoding: 'binary' }));
    this.settings = inTransactions(root.openDB<Buffer, string>('settings', { encoding: 'binary' }));
  }
}
