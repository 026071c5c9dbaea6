import type { Expectation } from './expectation.js';
import { isSoftDeleted } from './metadata.js';
import type { Placed } from './recent-ids.js';
import type { StreamState } from './streams.js';

/** Whether an append may be written. */
export type CommitCheck =
  | { readonly decision: 'write' }
  | { readonly decision: 'repeated'; readonly last: Placed }
  | { readonly decision: 'wrong-version' }
  | { readonly decision: 'deleted' };

/** What is known of events besides their stream's head. */
export interface Known {
  /** A recent event by its id. */
  byId(id: string): Placed | undefined;
  /** The event of a revision with this id. */
  atRevision(stream: StreamState, revision: number, id: string): Placed | undefined;
  /** Whether the stream has metadata of its own. */
  hasMetadata(stream: StreamState): boolean;
  /** Whether the stream holds the metadata of a tombstoned one. */
  isOfTombstoned(stream: StreamState): boolean;
}

const WRITE: CommitCheck = { decision: 'write' };
const WRONG: CommitCheck = { decision: 'wrong-version' };
const DELETED: CommitCheck = { decision: 'deleted' };

/** Compares what a writer expects with what is so, and knows an append that was already written. */
export function checkCommit(stream: StreamState, expected: Expectation, ids: readonly string[], known: Known): CommitCheck {
  const { last, metadata, tombstoned } = stream.decided;
  if (tombstoned) return DELETED;
  // The metadata of a tombstoned stream can still be written where there is some, though not read.
  if (last < 0 && known.isOfTombstoned(stream)) return DELETED;
  switch (expected) {
    case 'exists':
      if (isSoftDeleted(metadata)) return DELETED;
      if (last < 0 && !known.hasMetadata(stream)) return WRONG;
      return checkRecent(stream, ids, known);
    case 'any':
      return checkRecent(stream, ids, known);
    case 'none':
      return checkRevision(stream, -1, ids, known);
    default:
      return checkRevision(stream, expected, ids, known);
  }
}

/** Without a revision to compare with, a repeated append is known by the ids of recent events. */
function checkRecent(stream: StreamState, ids: readonly string[], known: Known): CommitCheck {
  let last: Placed | undefined;
  for (const id of ids) {
    const placed = known.byId(id);
    // Some of the events but not all of them were written: neither a repetition nor something new.
    if (placed === undefined || placed.stream !== stream.number) return last === undefined ? WRITE : WRONG;
    last = placed;
  }
  return last === undefined ? WRITE : { decision: 'repeated', last };
}

function checkRevision(stream: StreamState, expected: number, ids: readonly string[], known: Known): CommitCheck {
  const { last, metadata } = stream.decided;
  if (expected === last) return WRITE;
  if (expected > last) return WRONG;
  let found: Placed | undefined;
  for (const [i, id] of ids.entries()) {
    const placed = known.atRevision(stream, expected + 1 + i, id);
    if (placed === undefined) {
      const first = i === 0;
      return first && expected === -1 && isSoftDeleted(metadata) ? WRITE : WRONG;
    }
    found = placed;
  }
  return found === undefined ? WRONG : { decision: 'repeated', last: found };
}
