import { rmSync } from 'node:fs';
import { open, type Database, type Transaction } from 'lmdb';
import { Block } from '../store/block.js';
import type { JournalEntry } from '../store/journal-entry.js';
import { decodeMark, JOURNAL_MARK, readJournal, unstoredEntries } from '../store/journal.js';

/** One moment of a data file, and what the journal holds beyond it. */
export interface Moment {
  readonly transaction: Transaction;
  readonly journal: JournalPart;
}

/** Entries of one journal. */
export interface JournalPart {
  /** Undefined when LMDB holds everything. */
  readonly id: Buffer | undefined;
  readonly entries: readonly JournalEntry[];
}

/** A node that writes past the reader from one segment to the other leaves a gap that is not there when it is read again. */
const ATTEMPTS = 5;

/** Looks at a data folder while a node may be writing there. Throws a Refusal when the journal is damaged. */
export function momentOf(dir: string, log: Database<Buffer, number>, settings: Database<Buffer, string>): Moment {
  for (let attempt = 1; ; attempt++) {
    // Before the data file: what is stored in between is then in both and not in neither.
    const bytes = readJournal(dir);
    log.resetReadTxn();
    const transaction = log.useReadTransaction();
    try {
      const mark = settings.get(JOURNAL_MARK, { transaction });
      if (mark === undefined) return { transaction, journal: { id: undefined, entries: [] } };
      const { id, stored } = decodeMark(mark);
      return { transaction, journal: { id, entries: unstoredEntries(bytes, { id, stored }) } };
    } catch (error) {
      transaction.done();
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** Stores in a copy of a data file what the journal beside the original held, so that the copy needs none. */
export async function storeInCopy(file: string, { id, entries }: JournalPart): Promise<void> {
  const root = open({ path: file, noSubdir: true, encoding: 'binary', maxDbs: 8 });
  try {
    const [log, settings] = [root.openDB<Buffer, number>('log', { encoding: 'binary' }), root.openDB<Buffer, string>('settings', { encoding: 'binary' })];
    const mark = settings.get(JOURNAL_MARK);
    if (mark === undefined) return;
    const { id: ofCopy, stored } = decodeMark(mark);
    root.transactionSync(() => {
      // The copy may be from a moment later than the entries, when a node began another journal.
      if (id?.equals(ofCopy)) for (const entry of entries) if (entry.sequence > stored) storeEntry(log, settings, entry);
      void settings.remove(JOURNAL_MARK);
    });
  } finally {
    await root.close();
    rmSync(`${file}-lock`, { force: true });
  }
}

function storeEntry(log: Database<Buffer, number>, settings: Database<Buffer, string>, entry: JournalEntry): void {
  for (const { first, bytes } of entry.blocks.map(Block.written)) void log.put(first, bytes);
  for (const [name, value] of entry.settings) void (value === undefined ? settings.remove(name) : settings.put(name, value));
}
