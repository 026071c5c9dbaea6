import { Block } from './block.js';
import { BlockBuilder, type SealedBlock } from './block-builder.js';
import type { BlockLog } from './block-log.js';
import type { CommitWriter } from './commit-writer.js';
import type { Indexes } from './indexes.js';
import type { Head, StreamState } from './streams.js';
import type { ProposedEvent } from '../wire/recorded-event.js';

/** Told when what was decided before is durable, or that it never will be. */
export type Settled = (failure?: Error) => void;

/** While many writers wait, commits begin so many ms apart: fewer and larger ones leave more of the processor to the appends. */
const PACE_MS = 1.5;
const MANY_WRITERS = 8;

/** What one commit makes durable. */
interface Group {
  readonly blocks: SealedBlock[];
  readonly newNames: StreamState[];
  readonly touched: Set<StreamState>;
  readonly settings: Map<string, Buffer | undefined>;
  /** Other changes that belong to the same transaction. */
  readonly work: (() => void)[];
  readonly waiting: Settled[];
}

const emptyGroup = (): Group => ({ blocks: [], newNames: [], touched: new Set(), settings: new Map(), work: [], waiting: [] });

/**
 * Writes in groups: while one group is being synced to disk, the next is collected, so that many
 * small appends share one sync. Nobody is answered before the sync of their group is done.
 */
export class GroupCommit {
  private group = emptyGroup();
  private builder: BlockBuilder;
  private isCommitting = false;
  private isScheduled = false;
  private storesAllIndexes = false;
  private idle: (() => void)[] = [];
  private wantsRemap = false;
  private lastBegin = 0;
  private lastWriters = 0;

  constructor(
    private readonly writer: CommitWriter,
    private readonly log: BlockLog,
    private readonly indexes: Indexes,
    private readonly callbacks: {
      /** These streams have new durable events. */
      committed(streams: ReadonlySet<StreamState>): void;
      /** Everything decided and not yet durable is void. */
      failed(): void;
    },
  ) {
    this.builder = this.builderAtEnd();
  }

  /** Adds one event to the log and returns its position. */
  add(stream: StreamState, event: ProposedEvent, revision: number, nowMs: number): number {
    if (stream.number === 0) {
      stream.number = this.builder.position;
      this.group.newNames.push(stream);
    }
    const position = this.builder.add(stream, event, revision, nowMs);
    this.group.touched.add(stream);
    if (this.builder.isFull) this.group.blocks.push(this.builder.seal());
    this.schedule();
    return position;
  }

  addEmpty(nowMs: number): number {
    this.schedule();
    return this.builder.addEmpty(nowMs);
  }

  /** Notes that a stream's decided head changed without an event of its own. */
  touch(stream: StreamState): void {
    this.group.touched.add(stream);
  }

  /** Stores a setting with the next commit; undefined removes it. */
  set(key: string, value: Buffer | undefined): void {
    this.group.settings.set(key, value);
    this.schedule();
  }

  /** Does other work in the transaction of the next commit. */
  also(work: () => void): void {
    this.group.work.push(work);
    this.schedule();
  }

  /** Has the next commit store all of the indexes. */
  storeIndexes(): void {
    this.storesAllIndexes = true;
    this.schedule();
  }

  /** Calls back when everything decided so far is durable: at once, when it already is. */
  whenSettled(settled: Settled): void {
    if (!this.isCommitting && !this.isScheduled) settled();
    else {
      this.group.waiting.push(settled);
      this.schedule();
    }
  }

  /** Waits until nothing is left to write. */
  async drained(): Promise<void> {
    while (this.isCommitting || this.isScheduled) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    if (!this.isCommitting) this.begin();
  }

  /** Begins the next commit in a later turn, so that what arrives in this one is part of it. */
  private begin(): void {
    const wait = this.lastWriters < MANY_WRITERS ? 0 : this.lastBegin + PACE_MS - performance.now();
    if (wait > 0) setTimeout(() => void this.commit(), wait);
    else setImmediate(() => void this.commit());
  }

  private async commit(): Promise<void> {
    this.isScheduled = false;
    this.isCommitting = true;
    this.lastBegin = performance.now();
    this.lastWriters = this.group.waiting.length;
    if (!this.builder.isEmpty) this.group.blocks.push(this.builder.seal());
    const group = this.group;
    this.group = emptyGroup();
    const blocks = group.blocks.map(({ bytes }) => Block.written(bytes));
    const heads: [StreamState, Head][] = [...group.touched].map((stream) => [stream, stream.decided]);
    const { settings, work } = group;
    const storesAllIndexes = this.storesAllIndexes;
    this.storesAllIndexes = false;
    try {
      await this.writer.write({ blocks, settings, work, storesAllIndexes }, group.waiting.length <= 1);
    } catch (error) {
      this.fail(group, error as Error);
      return;
    }
    this.publish(group, blocks, heads);
    this.isCommitting = false;
    this.next();
  }

  private publish(group: Group, blocks: readonly Block[], heads: readonly [StreamState, Head][]): void {
    const last = blocks.at(-1);
    if (last !== undefined) {
      this.indexes.hold(group.blocks, group.newNames);
      this.log.committed(blocks, last.end);
    }
    for (const [stream, head] of heads) stream.committed = head;
    for (const settled of group.waiting) settled();
    if (group.blocks.length > 0) this.callbacks.committed(group.touched);
  }

  /** What was decided on top of the failed group is void with it. */
  private fail(group: Group, error: Error): void {
    const voided = [group, this.group];
    this.group = emptyGroup();
    this.builder = this.builderAtEnd();
    this.isScheduled = false;
    this.isCommitting = false;
    this.callbacks.failed();
    for (const { waiting } of voided) for (const settled of waiting) settled(error);
    this.next();
  }

  /** Lets go of the pages that reading has mapped, as soon as nothing is being written. */
  remapSoon(): void {
    if (this.wantsRemap) return;
    this.wantsRemap = true;
    if (!this.isCommitting && !this.isScheduled) this.next();
  }

  private next(): void {
    if (this.wantsRemap) {
      this.isCommitting = true;
      setImmediate(() => void this.remap());
      return;
    }
    if (this.isScheduled) this.begin();
    else for (const resolve of this.idle.splice(0)) resolve();
  }

  private async remap(): Promise<void> {
    this.wantsRemap = false;
    await this.writer.remap();
    this.isCommitting = false;
    this.next();
  }

  private builderAtEnd(): BlockBuilder {
    return new BlockBuilder(this.log.end, this.log.last()?.count ?? 0);
  }
}
