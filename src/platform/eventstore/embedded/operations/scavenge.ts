import { setImmediate as nextTurn } from 'node:timers/promises';
import { sealBlock, type Block, type Row } from '../store/block.js';
import type { EventStore } from '../store/event-store.js';
import { isMetastream } from '../store/metadata.js';
import { firstReadable, oldestReadable } from '../store/readable.js';
import { runsOf } from '../store/stream-index.js';
import { TOMBSTONE_REVISION } from '../wire/recorded-event.js';
import { ScavengedRanges } from './scavenged-ranges.js';

/** What a scavenge has done so far. */
export interface Scavenged {
  /** How far in the log it is, of how much. */
  readonly position: number;
  readonly end: number;
  readonly events: number;
  readonly bytes: number;
}

/** Blocks changed with one commit: few enough not to hold up appends. */
const BLOCKS_A_COMMIT = 16;
/** Blocks looked at before other calls get their turn. */
const BLOCKS_A_TURN = 8;

/** What is left of a block: nothing of it, or fewer events. */
interface Change {
  readonly block: Block;
  readonly rest: Buffer | undefined;
}

/**
 * Removes the events that no reader of their streams can see any more: truncated, too old or too many, of deleted
 * streams. The last event of a stream stays, so that its revisions go on, and so does a tombstone. Positions are not
 * used again; the room on disk is. Stops between two commits when `signal` aborts.
 */
export async function scavenge(store: EventStore, signal: AbortSignal, progress: (scavenged: Scavenged) => void = () => undefined): Promise<Scavenged> {
  // What the node starts from is not touched: its last block, and what is not indexed on disk. Only what was there before the flush surely is.
  const end = store.log.last()?.first ?? 0;
  await store.flushIndexes();
  const ranges = ScavengedRanges.load(store.environment.settings);
  const total = { position: 0, end, events: 0, bytes: 0 };
  let changes: Change[] = [];
  let looked = 0;
  for (let block = store.log.atOrAfter(0); block !== undefined && block.first < end && !signal.aborted; block = store.log.atOrAfter(block.end)) {
    const change = changeOf(store, block, total);
    if (change !== undefined) changes.push(change);
    if (changes.length >= BLOCKS_A_COMMIT) {
      await write(store, ranges, changes);
      changes = [];
    }
    total.position = block.end;
    progress(total);
    if (++looked % BLOCKS_A_TURN === 0) await nextTurn();
  }
  await write(store, ranges, changes);
  return total;
}

function changeOf(store: EventStore, block: Block, total: { events: number; bytes: number }): Change | undefined {
  const goes = Array.from({ length: block.count }, (_, row) => block.has(row) && isUnreadable(store, block, row));
  const gone = goes.filter(Boolean).length;
  if (gone === 0) return undefined;
  const stays = goes.some((isGone, row) => !isGone && block.has(row));
  const rest = stays ? without(block, goes) : undefined;
  total.events += gone;
  total.bytes += block.bytes.length - (rest?.length ?? 0);
  return { block, rest };
}

function isUnreadable(store: EventStore, block: Block, row: number): boolean {
  const revision = block.revision(row);
  if (revision === TOMBSTONE_REVISION) return false;
  const stream = store.streams.get(block.streamName(row));
  const head = stream.committed;
  if (head.tombstoned) return true;
  if (revision >= head.last) return false;
  return revision < firstReadable(head) || block.createdMs(row) < oldestReadable(head, Date.now()) || (isMetastream(stream.name) && store.isGone(stream));
}

/** The block with some of its rows emptied. */
function without(block: Block, goes: readonly boolean[]): Buffer {
  const frames: Buffer[] = [];
  let offset = 0;
  const rows = goes.map((isGone, at): Row => {
    const row = block.row(at);
    if (isGone || row.length === 0) return { ...row, offset, length: 0, checksum: 0, typeAt: 0 };
    frames.push(block.frame(at));
    offset += row.length;
    return { ...row, offset: offset - row.length };
  });
  return sealBlock(block.first, block.previousCount, rows, Buffer.concat(frames));
}

async function write(store: EventStore, ranges: ScavengedRanges, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  await store.withNextCommit(() => {
    const { log, settings } = store.environment;
    for (const { block, rest } of changes) {
      if (rest !== undefined) void log.put(block.first, rest);
      else {
        void log.remove(block.first);
        store.index.removeStored(runsOf(block));
        ranges.add(settings, block.first, block.end);
      }
    }
  });
  for (const { block } of changes) store.log.forget(block.first);
}
