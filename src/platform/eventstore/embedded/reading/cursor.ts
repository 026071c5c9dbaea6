import type { Block } from '../store/block.js';
import type { BlockLog } from '../store/block-log.js';
import type { EventStore } from '../store/event-store.js';
import type { Run } from '../store/stream-index.js';

/** Rows of a block that follow each other, from `from` up to but without `to`. */
export interface Slice {
  readonly block: Block;
  readonly from: number;
  readonly to: number;
}

/** Goes through the log or a stream one slice at a time; undefined at the end, after which it may be asked again. */
export interface Cursor {
  next(): Slice | undefined;
}

/** Reads the log from a position on. Holds no transaction, so it may rest as long as it likes. */
export class LogForward implements Cursor {
  constructor(
    private readonly log: BlockLog,
    /** The position of the next event. */
    public position: number,
    /** Whether each slice is done with before anything else is read. */
    private readonly isPassing = false,
  ) {}

  next(): Slice | undefined {
    const block = this.isPassing ? this.log.glimpse(this.position) : this.log.atOrAfter(this.position);
    if (block === undefined) return undefined;
    const from = Math.max(0, this.position - block.first);
    this.position = block.end;
    return { block, from, to: block.count };
  }
}

/** Reads the log backwards, from the event before a position. */
export class LogBackward implements Cursor {
  constructor(
    private readonly log: BlockLog,
    private position: number,
  ) {}

  next(): Slice | undefined {
    const block = this.log.before(this.position);
    if (block === undefined) return undefined;
    const to = Math.min(block.count, this.position - block.first);
    this.position = block.first;
    return { block, from: 0, to };
  }
}

/** Runs fetched from the index at a time. */
const RUNS = 64;

/** Reads a stream from a revision on. */
export class StreamForward implements Cursor {
  private runs: Run[] = [];
  private block: Block | undefined;
  private row = 0;
  /** The revision behind the run that was read last. */
  private runEnd = 0;

  constructor(
    private readonly store: EventStore,
    private readonly name: string,
    /** The next revision. */
    public revision: number,
  ) {}

  next(): Slice | undefined {
    for (;;) {
      const slice = this.nextInBlock();
      if (slice !== undefined) return slice;
      // What a scavenge took away at the end of the run before is not looked for again.
      this.revision = Math.max(this.revision, this.runEnd);
      const run = this.nextRun();
      if (run === undefined) return undefined;
      this.runEnd = run.firstRevision + run.count;
      this.block = this.store.log.load(run.block);
      this.row = 0;
    }
  }

  private nextInBlock(): Slice | undefined {
    const { block, revision } = this;
    if (block === undefined) return undefined;
    const stream = numberOf(this.store, this.name);
    let from = this.row;
    while (from < block.count && !(block.stream(from) === stream && block.revision(from) >= revision && block.has(from))) from++;
    let to = from;
    while (to < block.count && block.stream(to) === stream && block.has(to)) to++;
    if (from === to) {
      this.block = undefined;
      return undefined;
    }
    this.row = to;
    this.revision = block.revision(to - 1) + 1;
    return { block, from, to };
  }

  private nextRun(): Run | undefined {
    const stream = numberOf(this.store, this.name);
    if (this.runs.length === 0 && stream !== 0) this.runs = this.store.index.forward(stream, this.revision, RUNS);
    for (;;) {
      const run = this.runs.shift();
      if (run === undefined || run.block >= this.store.log.end) return undefined;
      if (run.firstRevision + run.count > this.revision) return run;
    }
  }
}

/** Reads a stream backwards from a revision, one event at a time. */
export class StreamBackward implements Cursor {
  private runs: Run[] = [];
  private block: Block | undefined;
  private row = -1;
  /** The first revision of the run that was read last. */
  private runStart = Infinity;

  constructor(
    private readonly store: EventStore,
    private readonly name: string,
    private revision: number,
  ) {}

  next(): Slice | undefined {
    for (;;) {
      const slice = this.nextInBlock();
      if (slice !== undefined) return slice;
      // What a scavenge took away at the beginning of the run before is not looked for again.
      this.revision = Math.min(this.revision, this.runStart - 1);
      const run = this.nextRun();
      if (run === undefined) return undefined;
      this.runStart = run.firstRevision;
      this.block = this.store.log.load(run.block);
      this.row = (this.block?.count ?? 0) - 1;
    }
  }

  private nextInBlock(): Slice | undefined {
    const { block, revision } = this;
    if (block === undefined) return undefined;
    const stream = numberOf(this.store, this.name);
    for (; this.row >= 0; this.row--) {
      if (block.stream(this.row) !== stream || block.revision(this.row) > revision || !block.has(this.row)) continue;
      const from = this.row--;
      this.revision = block.revision(from) - 1;
      return { block, from, to: from + 1 };
    }
    this.block = undefined;
    return undefined;
  }

  private nextRun(): Run | undefined {
    if (this.revision < 0) return undefined;
    const stream = numberOf(this.store, this.name);
    if (this.runs.length === 0 && stream !== 0) this.runs = this.store.index.backward(stream, this.revision, RUNS);
    return this.runs.shift();
  }
}

/** Asked each time: a stream may get its first event while a reader waits for it. */
const numberOf = (store: EventStore, name: string): number => store.streams.get(name).number;
