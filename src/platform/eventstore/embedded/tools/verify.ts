import { setImmediate as nextTurn } from 'node:timers/promises';
import { Refusal } from '../refusals.js';
import { Block } from '../store/block.js';
import { runsOf } from '../store/stream-index.js';
import { TOMBSTONE_REVISION } from '../wire/recorded-event.js';
import { openSnapshot, type Snapshot } from './snapshot.js';

/** What a walk through a whole store found. */
export interface VerifyReport {
  readonly blocks: number;
  readonly events: number;
  readonly streams: number;
  /** Where the log ends: the position behind the last event. */
  readonly end: number;
  /** Everything that is not as it should be; the first hundred are told. */
  readonly problems: readonly string[];
  readonly problemCount: number;
}

const TOLD = 100;
/** Blocks or entries checked before the process gets a breath. */
const A_TURN = 200;
const LENGTH_OF_REVISION = 8;

/** Walks a store from end to end: every checksum, every position, and the indexes both ways. `progress` hears of positions checked. */
export async function verifyStore(dir: string, progress: (done: number, total: number) => void = () => undefined): Promise<VerifyReport> {
  const snapshot = openSnapshot(dir);
  try {
    return await new Verification(snapshot, progress).run();
  } finally {
    await snapshot.close();
  }
}

class Verification {
  private readonly problems: string[] = [];
  private problemCount = 0;
  private blocks = 0;
  private events = 0;
  private indexedRuns = 0;
  /** Streams that begin where the log is not indexed on the disk. */
  private readonly unindexed = new Set<number>();

  constructor(
    private readonly snapshot: Snapshot,
    private readonly progress: (done: number, total: number) => void,
  ) {}

  async run(): Promise<VerifyReport> {
    await this.walkLog();
    const streams = (await this.walkIndex()) + this.unindexed.size;
    await this.walkNames();
    return { blocks: this.blocks, events: this.events, streams, end: this.snapshot.log.end, problems: this.problems, problemCount: this.problemCount };
  }

  /** Every block, every event, and from each to the indexes. */
  private async walkLog(): Promise<void> {
    const { log, scavenged } = this.snapshot;
    let expected = 1;
    for (const [key, bytes] of this.everyBlock()) {
      this.blocks++;
      const block = this.attempt(() => Block.stored(bytes, key));
      if (key < expected) this.report(`The block at position ${key} overlaps the one before it.`);
      else if (key > expected && !scavenged.covers(expected, key)) this.report(`The positions from ${expected} to ${key - 1} are missing.`);
      expected = block?.end ?? key + 1;
      if (block !== undefined) this.checkBlock(block);
      if (this.blocks % A_TURN === 0) {
        this.progress(expected, log.end);
        await nextTurn();
      }
    }
  }

  private *everyBlock(): Generator<[number, Buffer]> {
    for (const { key, value } of this.snapshot.tables.log.getRange()) yield [key, Buffer.from(value)];
    for (const { first, bytes } of this.snapshot.pending.all()) yield [first, bytes];
  }

  private checkBlock(block: Block): void {
    for (let row = 0; row < block.count; row++) {
      if (!block.has(row)) continue;
      this.events++;
      const name = this.attempt(() => block.streamName(row));
      if (name !== undefined && block.stream(row) === block.position(row)) this.checkName(name, block.stream(row), block.first);
    }
    for (const run of runsOf(block)) {
      const entry = this.snapshot.index.backward(run.stream, run.firstRevision, 1)[0];
      if (entry?.firstRevision === run.firstRevision && entry.block === block.first && entry.count === run.count) this.indexedRuns++;
      else if (block.first < this.snapshot.indexedTo) this.report(`Revision ${run.firstRevision} of the stream that begins at position ${run.stream} is not in the index.`);
      else if (run.stream >= block.first) this.unindexed.add(run.stream);
    }
  }

  private checkName(name: string, number: number, position: number): void {
    const found = this.snapshot.names.get(name);
    if (found === undefined && position >= this.snapshot.indexedTo) return;
    if (found !== number) this.report(`The stream ${name}, which begins at position ${number}, is not found by its name.`);
  }

  /** Every entry of the index: streams without gaps, and none that the log does not know. Returns how many streams there are. */
  private async walkIndex(): Promise<number> {
    let [entries, streams, stream, next, last] = [0, 0, 0, 0, 0];
    for (const { key, value } of this.snapshot.tables.index.getRange()) {
      const run = { stream: key.readUIntBE(0, 6), firstRevision: Number(key.readBigUInt64BE(key.length - LENGTH_OF_REVISION)), block: value.readDoubleLE(0), count: value.readUInt32LE(8) };
      if (run.stream !== stream) {
        streams++;
        [stream, next, last] = [run.stream, 0, run.stream];
      }
      if (run.firstRevision < TOMBSTONE_REVISION) {
        if (run.firstRevision !== next && !this.snapshot.scavenged.touches(last, run.block + 1)) this.report(`The stream that begins at position ${stream} has no revision ${next}.`);
        next = run.firstRevision + run.count;
      }
      last = run.block;
      if (++entries % A_TURN === 0) await nextTurn();
    }
    if (entries !== this.indexedRuns) this.report(`The index has ${entries - this.indexedRuns} entries that lead to no event.`);
    return streams;
  }

  /** From every name to the stream that it leads to. */
  private async walkNames(): Promise<void> {
    let names = 0;
    for (const { key, value } of this.snapshot.tables.names.getRange()) {
      const number = value.readDoubleLE(0);
      const name = this.attempt(() => this.nameOf(number));
      // What is left of a stream may be damaged, which is reported already.
      if (name !== undefined && this.snapshot.names.get(name) !== number) this.report(`A name leads to the stream ${name}, which has another.`);
      if (name === undefined && !this.hasEvents(number)) this.report(`The name ${key.subarray(1).toString('utf8')} leads to no stream.`);
      if (++names % A_TURN === 0) await nextTurn();
    }
  }

  private hasEvents(stream: number): boolean {
    return stream >= this.snapshot.indexedTo || (Number.isSafeInteger(stream) && stream > 0 && this.snapshot.index.forward(stream, 0, 1).length > 0);
  }

  private nameOf(stream: number): string | undefined {
    if (!Number.isSafeInteger(stream) || stream < 1) return undefined;
    const { index, log } = this.snapshot;
    const blocks = [log.atOrAfter(stream), ...index.forward(stream, 0, 1).map((run) => log.load(run.block))];
    for (const block of blocks) {
      for (let row = 0; row < (block?.count ?? 0); row++) if (block!.stream(row) === stream && block!.has(row)) return block!.streamName(row);
    }
    return undefined;
  }

  /** What a damaged block or event answers is the problem that is reported. */
  private attempt<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.report(error.details);
      return undefined;
    }
  }

  private report(problem: string): void {
    this.problemCount++;
    if (this.problems.length < TOLD && !this.problems.includes(problem)) this.problems.push(problem);
  }
}
