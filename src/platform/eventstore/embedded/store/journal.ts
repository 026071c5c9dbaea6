import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fdatasync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, write, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { journalDamaged } from '../refusals.js';
import { syncFolder } from './folder.js';
import { entriesIn, ID_BYTES, sizeOfEntry, writeEntry, type FoundEntry, type JournalEntry } from './journal-entry.js';

/** The file of a data folder that commits are written to first. */
export const JOURNAL_FILE = 'events.journal';

/** The journal is two segments: while what one holds is stored, the other is written. */
const SEGMENT_BYTES = 2 * 1024 * 1024;
const FILE_BYTES = 2 * SEGMENT_BYTES;
/** What is larger gains nothing from being written twice. */
const LARGEST_ENTRY = 512 * 1024;
/** What is larger is copied too long to keep everybody else waiting. */
const LARGEST_HERE = 64 * 1024;
/** While the disk takes no longer than this, waiting for it spares an entry the way to another thread and back. */
const QUICK_MS = 1;

/** The setting that holds the mark of a store's journal, while that may hold what LMDB does not. */
export const JOURNAL_MARK = 'journal';

/** Which journal belongs to a store, and the last of its entries that is stored: what LMDB itself says of it. */
export interface JournalMark {
  readonly id: Buffer;
  readonly stored: number;
}

export const encodeMark = ({ id, stored }: JournalMark): Buffer => {
  const bytes = Buffer.concat([id, Buffer.alloc(8)]);
  bytes.writeDoubleLE(stored, ID_BYTES);
  return bytes;
};

export const decodeMark = (bytes: Buffer): JournalMark => ({ id: Buffer.from(bytes.subarray(0, ID_BYTES)), stored: bytes.readDoubleLE(ID_BYTES) });

/** The bytes of a folder's journal; undefined when there is none, or not a whole one. */
export function readJournal(dir: string): Buffer | undefined {
  const file = join(dir, JOURNAL_FILE);
  const bytes = existsSync(file) ? readFileSync(file) : undefined;
  return bytes?.length === FILE_BYTES ? bytes : undefined;
}

/**
 * The entries that are not stored yet, in order. One torn at the end was never acknowledged and is as if it had not been begun;
 * one missing before another was, and is refused with DATA_LOSS.
 */
export function unstoredEntries(journal: Buffer | undefined, { id, stored }: JournalMark): FoundEntry[] {
  if (journal === undefined) throw journalDamaged('it is gone or cut off, and the data file does not hold all of it');
  const entries = [...entriesIn(journal, id, stored)].sort((a, b) => a.sequence - b.sequence);
  for (const [i, { sequence }] of entries.entries()) {
    if (sequence !== stored + 1 + i) throw journalDamaged(`entry ${stored + 1 + i} is not whole, though later ones are`);
  }
  return entries;
}

/** A file of a fixed size, written over and over: an entry is durable after one write and one sync that change nothing but its own pages. */
export class Journal {
  private readonly staged = Buffer.alloc(LARGEST_ENTRY);
  /** The last entry in each segment. */
  private readonly lastIn = [0, 0];
  private segment = 0;
  /** Where in the segment the next entry goes. */
  private at = 0;
  private lastTook = 0;

  private constructor(
    private readonly file: number,
    readonly id: Buffer,
    private stored: number,
  ) {}

  /** A journal without entries; its file is made unless there is one. */
  static begin(dir: string): Journal {
    const file = join(dir, JOURNAL_FILE);
    if (!existsSync(file) || statSync(file).size !== FILE_BYTES) makeFile(file);
    return new Journal(openSync(file, 'r+'), randomBytes(ID_BYTES), 0);
  }

  /** The journal that a node was killed over, which goes on behind its last entry. */
  static resume(dir: string, mark: JournalMark): { journal: Journal; entries: JournalEntry[] } {
    const entries = unstoredEntries(readJournal(dir), mark);
    const journal = new Journal(openSync(join(dir, JOURNAL_FILE), 'r+'), mark.id, mark.stored);
    for (const { sequence, end } of entries) {
      journal.segment = Math.ceil(end / SEGMENT_BYTES) - 1;
      journal.at = end - journal.segment * SEGMENT_BYTES;
      journal.lastIn[journal.segment] = sequence;
    }
    return { journal, entries };
  }

  /** Writes an entry; resolves with true when it is durable, with false when there is no place for it until more is stored. */
  async write(entry: JournalEntry): Promise<boolean> {
    const size = sizeOfEntry(entry);
    if (!this.makePlace(size)) return false;
    writeEntry(this.staged, this.id, entry);
    const begun = performance.now();
    const position = this.segment * SEGMENT_BYTES + this.at;
    if (size <= LARGEST_HERE && this.lastTook <= QUICK_MS) this.putHere(size, position);
    else await this.put(size, position);
    this.lastTook = performance.now() - begun;
    this.at += size;
    this.lastIn[this.segment] = entry.sequence;
    return true;
  }

  /** Lets go of the entries up to this one: LMDB holds them. */
  release(stored: number): void {
    this.stored = stored;
  }

  close(): void {
    closeSync(this.file);
  }

  private makePlace(size: number): boolean {
    if (size > LARGEST_ENTRY) return false;
    if (this.at + size <= SEGMENT_BYTES) return true;
    const other = 1 - this.segment;
    if (this.lastIn[other]! > this.stored) return false;
    this.segment = other;
    this.at = 0;
    return true;
  }

  private putHere(size: number, position: number): void {
    for (let done = 0; done < size; ) done += writeSync(this.file, this.staged, done, size - done, position + done);
    fdatasyncSync(this.file);
  }

  private async put(size: number, position: number): Promise<void> {
    for (let done = 0; done < size; ) done += (await writing(this.file, this.staged, done, size - done, position + done)).bytesWritten;
    await syncing(this.file);
  }
}

const writing = promisify(write);
const syncing = promisify(fdatasync);

/** A file of zeros, complete or not there: to write over it later changes no length and takes no new room. */
function makeFile(file: string): void {
  const part = `${file}.part`;
  const handle = openSync(part, 'w');
  try {
    for (let done = 0; done < FILE_BYTES; ) done += writeSync(handle, Buffer.alloc(FILE_BYTES - done));
    fsyncSync(handle);
  } catch (error) {
    rmSync(part);
    throw error;
  } finally {
    closeSync(handle);
  }
  renameSync(part, file);
  syncFolder(dirname(file));
}
