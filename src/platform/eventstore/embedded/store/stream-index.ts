import { TOMBSTONE_REVISION } from '../wire/recorded-event.js';
import type { Block } from './block.js';
import type { SealedBlock } from './block-builder.js';
import type { Environment } from './environment.js';

/** Events of one stream that stand in one block. */
export interface Run {
  /** The first of their revisions; the others follow it without gaps. */
  readonly firstRevision: number;
  readonly count: number;
  /** The key of the block. */
  readonly block: number;
}

const KEY_SIZE = 14;
const VALUE_SIZE = 12;
const LAST_KEY = 0xffff_ffff_ffff_ffffn;
/** Runs held in memory before the oldest of them are stored. */
const HELD = 4096;
/** So many fewer are held after runs were stored, so that it is worth it. */
const SPARE = 256;

/** Runs of one stream that are to be stored. */
export interface DueRuns {
  readonly stream: number;
  readonly runs: readonly Run[];
}

/**
 * Finds where a stream's revisions are.
 *
 * The latest runs are only in memory. Appends to many streams would otherwise change a page of
 * the index each; held back, the runs of a stream are stored together, and those that a crash
 * loses are found again in the blocks since `heldFrom`.
 */
export class StreamIndex {
  /** The held runs by stream; those held longest come first. */
  private readonly held = new Map<number, Run[]>();
  private heldCount = 0;

  constructor(private readonly environment: Pick<Environment, 'index'>) {}

  /** The runs that hold `revision` and those after it, at most `limit`. */
  forward(stream: number, revision: number, limit: number): Run[] {
    const held = this.held.get(stream) ?? [];
    const firstHeld = held[0]?.firstRevision ?? Infinity;
    const stored = firstHeld <= revision ? [] : this.storedForward(stream, revision, limit);
    const missing = limit - stored.length;
    if (missing <= 0 || held.length === 0) return stored;
    const from = firstAfter(held, revision) - 1;
    return stored.concat(held.slice(Math.max(0, from), Math.max(0, from) + missing));
  }

  /** The runs that hold `revision` and those before it, latest first, at most `limit`. */
  backward(stream: number, revision: number, limit: number): Run[] {
    const held = this.held.get(stream) ?? [];
    const to = firstAfter(held, revision);
    const latest = held.slice(Math.max(0, to - limit), to).reverse();
    return latest.length === limit ? latest : latest.concat(this.storedBackward(stream, revision, limit - latest.length));
  }

  /** Takes in the runs of a block that has just become durable. */
  hold({ runs }: Pick<SealedBlock, 'runs'>): void {
    for (const { stream, firstRevision, count, block } of runs) {
      const held = this.held.get(stream);
      if (held === undefined) this.held.set(stream, [{ firstRevision, count, block }]);
      else held.push({ firstRevision, count, block });
      this.heldCount++;
    }
  }

  /** Finds the runs of a block that a crash may have lost. */
  recover(block: Block): void {
    for (const run of runsOf(block)) {
      const known = this.backward(run.stream, run.firstRevision, 1)[0];
      if (known?.firstRevision !== run.firstRevision) this.hold({ runs: [run] });
    }
  }

  /** The block from which on runs are in memory only, once these are stored. */
  heldFrom(due: readonly DueRuns[]): number {
    const leaving = new Set(due.map(({ stream }) => stream));
    let from = Infinity;
    for (const [stream, [run]] of this.held) if (!leaving.has(stream)) from = Math.min(from, run!.block);
    return from;
  }

  /** The runs to be stored next, always all that are held of a stream. */
  due(all: boolean): DueRuns[] {
    if (!all && this.heldCount <= HELD) return [];
    const due: DueRuns[] = [];
    let left = this.heldCount;
    for (const [stream, runs] of this.held) {
      if (!all && left <= HELD - SPARE) break;
      due.push({ stream, runs: [...runs] });
      left -= runs.length;
    }
    return due;
  }

  /** Writes these runs; called inside a transaction. */
  store(due: readonly DueRuns[]): void {
    for (const { stream, runs } of due) for (const run of runs) void this.environment.index.put(runKey(stream, run.firstRevision), runValue(run));
  }

  /** Takes stored runs of a block away; called inside a transaction. */
  removeStored(runs: readonly (Run & { readonly stream: number })[]): void {
    for (const { stream, firstRevision } of runs) void this.environment.index.remove(runKey(stream, firstRevision));
  }

  /** These runs are stored for good; their streams may have got more meanwhile. */
  release(due: readonly DueRuns[]): void {
    for (const { stream, runs } of due) {
      const later = this.held.get(stream)!.slice(runs.length);
      this.held.delete(stream);
      if (later.length > 0) this.held.set(stream, later);
      this.heldCount -= runs.length;
    }
  }

  private storedForward(stream: number, revision: number, limit: number): Run[] {
    const holding = this.storedBackward(stream, revision, 1)[0];
    const start = runKey(stream, holding === undefined ? 0 : holding.firstRevision);
    return [...this.environment.index.getRange({ start, end: endOf(stream), limit })].map(({ key, value }) => toRun(key, value));
  }

  private storedBackward(stream: number, revision: number, limit: number): Run[] {
    const out: Run[] = [];
    for (const { key, value } of this.environment.index.getRange({ start: runKey(stream, revision), end: startOf(stream), reverse: true, limit })) {
      if (key.readUIntBE(0, 6) !== stream) break;
      out.push(toRun(key, value));
    }
    return out;
  }
}

/** The runs in a block, found by its rows. */
export function runsOf(block: Block): (Run & { readonly stream: number })[] {
  const runs = new Map<number, Run & { stream: number; count: number }>();
  const tombstones: (Run & { stream: number })[] = [];
  for (let row = 0; row < block.count; row++) {
    const stream = block.stream(row);
    const firstRevision = block.revision(row);
    if (stream === 0) continue;
    const run = runs.get(stream);
    if (firstRevision === TOMBSTONE_REVISION) tombstones.push({ stream, firstRevision, count: 1, block: block.first });
    else if (run !== undefined) run.count++;
    else runs.set(stream, { stream, firstRevision, count: 1, block: block.first });
  }
  return [...runs.values(), ...tombstones];
}

/** The place of the first run that begins after `revision`. */
function firstAfter(runs: readonly Run[], revision: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (runs[middle]!.firstRevision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The key of a run: stream number (6 bytes), first revision (8 bytes), both big-endian so that runs sort. */
function runKey(stream: number, firstRevision: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_SIZE);
  key.writeUIntBE(stream, 0, 6);
  key.writeBigUInt64BE(BigInt(firstRevision), 6);
  return key;
}

function runValue({ block, count }: Run): Buffer {
  const value = Buffer.allocUnsafe(VALUE_SIZE);
  value.writeDoubleLE(block, 0);
  value.writeUInt32LE(count, 8);
  return value;
}

function toRun(key: Buffer, value: Buffer): Run {
  return { firstRevision: Number(key.readBigUInt64BE(6)), block: value.readDoubleLE(0), count: value.readUInt32LE(8) };
}

/** Just before every run of the stream, in the order of keys. */
const startOf = (stream: number): Buffer => {
  const key = Buffer.alloc(KEY_SIZE, 0xff);
  key.writeUIntBE(stream - 1, 0, 6);
  return key;
};

const endOf = (stream: number): Buffer => {
  const key = Buffer.allocUnsafe(KEY_SIZE);
  key.writeUIntBE(stream, 0, 6);
  key.writeBigUInt64BE(LAST_KEY, 6);
  return key;
};
