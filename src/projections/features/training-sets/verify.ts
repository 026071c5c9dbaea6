import type { SavedTrainingSet } from '../../../domain/features/training-sets/state.js';
import type { Contents } from '../../../platform/contents.js';
import { parsePosition, type EventStore } from '../../../platform/eventstore/port.js';
import { historical } from '../history/historical.js';
import { Replay } from '../history/replay.js';
import type { TrainingSet } from '../history/training-set.js';
import { StoredRows, type Difference, type FoundDifference } from './difference.js';
import { questionOf } from './question.js';
import { readRowFile } from './row-file.js';
import { hashOfRows, RowHash } from './row-hash.js';

/** What a training set that is asked again turns out to be. */
export const verdicts = ['SAME', 'ENTITIES_DELETED', 'DIFFERENT'] as const;

/** The answer of a verification. */
export interface Verification {
  readonly verdict: (typeof verdicts)[number];
  readonly said: string;
  readonly hash: string;
  readonly savedHash: string;
  readonly rows: number;
  readonly savedRows: number;
  /** Rows whose values are hidden by deletions, now and when it was saved. */
  readonly hiddenRows: number;
  readonly savedHiddenRows: number;
  /** The first row that differs, counted from zero; known where the rows were stored. */
  readonly firstDifference?: Difference;
}

interface Sources {
  readonly eventStore: EventStore;
  readonly contents: Contents;
  readonly signal?: AbortSignal;
}

/**
 * Asks a saved question again, of the log itself, and compares the rows by their hash. Rows that differ are asked once more
 * with the deletions of then: when that gives the saved hash, it is the deletions since and nothing else that changed them.
 */
export async function verify(saved: SavedTrainingSet, { eventStore, contents, signal }: Sources): Promise<Verification> {
  const { answer } = saved;
  // Nothing kept in memory: what is proved is what the log says.
  const replay = new Replay(eventStore, { cacheBytes: 0 });
  const now = await historical(replay, await questionOf(saved, contents), signal);
  const stored = answer.stored && (await contents.has(answer.hash)) ? new StoredRows(readRowFile(contents.pathOf(answer.hash))) : undefined;
  const hash = new RowHash(now.columns.map(({ name }) => name));
  let rows = 0;
  let hiddenRows = 0;
  let first: FoundDifference | undefined;
  try {
    for await (const table of now.tables) {
      await hash.add(table);
      for (let row = 0; row < table.rows; row++) if (table.hidden?.(row)) hiddenRows++;
      first ??= await stored?.compare(table, rows);
      rows += table.rows;
    }
  } finally {
    await stored?.close();
  }
  const found = { hash: hash.digest(), savedHash: answer.hash, rows, savedRows: answer.rows, hiddenRows, savedHiddenRows: answer.hiddenRows };
  if (found.hash === answer.hash) return { verdict: 'SAME', said: `The log gives the same ${rows} rows`, ...found };
  const then = await historical(replay, await questionOf(saved, contents, parsePosition(answer.deletionsUpTo)), signal);
  const byDeletion = (await hashOf(then)) === answer.hash;
  return {
    verdict: byDeletion ? 'ENTITIES_DELETED' : 'DIFFERENT',
    said: byDeletion ? `Differs because entities were deleted since: their values are hidden in ${hiddenRows} rows, and in ${answer.hiddenRows} when it was saved` : 'Differs, and not by the deletion of entities: the log or what reads it is not what it was',
    ...found,
    ...(first && { firstDifference: byDeletion ? withoutValues(first) : shown(first) }),
  };
}

/** A deletion hides what was stored, too. */
const shown = ({ hidden, ...difference }: FoundDifference): Difference => (hidden ? withoutValues(difference) : difference);
const withoutValues = ({ row, columns }: Difference): Difference => ({ row, columns });

async function hashOf({ columns, tables }: { columns: readonly { name: string }[]; tables: AsyncIterable<TrainingSet> }): Promise<string> {
  const hash = new RowHash(columns.map(({ name }) => name));
  for await (const table of tables) await hash.add(table);
  return hash.digest();
}
