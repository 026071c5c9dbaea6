import { Block } from './block.js';
import type { Environment } from './environment.js';
import { decodeMark, Journal, JOURNAL_MARK } from './journal.js';
import type { JournalEntry } from './journal-entry.js';
import { Pending } from './pending.js';

/** What a node finds in the journal when it starts. */
export interface Recovered {
  readonly pending: Pending;
  /** The journal, when it may hold what LMDB does not. */
  readonly journal: Journal | undefined;
}

/** Finds what the node before this one acknowledged and did not store: nothing, unless it was killed. Throws a Refusal when some of it is lost. */
export function recoverJournal({ dir, settings }: Pick<Environment, 'dir' | 'settings'>): Recovered {
  const mark = settings.get(JOURNAL_MARK);
  if (mark === undefined) return { pending: new Pending(), journal: undefined };
  const { id, stored } = decodeMark(mark);
  const { journal, entries } = Journal.resume(dir, { id, stored });
  return { pending: pendingOf(entries, stored), journal };
}

/** Entries of the journal as they are read from memory. */
export function pendingOf(entries: readonly JournalEntry[], stored = 0): Pending {
  const pending = new Pending(stored);
  for (const { sequence, blocks, settings } of entries) pending.add(sequence, blocks.map(Block.written), settings);
  return pending;
}
