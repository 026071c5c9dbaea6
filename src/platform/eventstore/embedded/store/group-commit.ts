import { Block } from './block.js';
import { BlockBuilder, type SealedBlock } from './block-builder.js';
import type { BlockLog } from './block-log.js';
import type { Environment } from './environment.js';
import { runKey, runValue } from './stream-index.js';
import { nameKey, type Head, type StreamState } from './streams.js';
import type { ProposedEvent } from '../wire/recorded-event.js';

/** Told when what was decided before is durable, or that it never will be. */
export type Settled = (failure?: Error) => void;

/** What one commit makes durable. */
interface Group {
  readonly blocks: SealedBlock[];
  readonly newNames: StreamState[];
  readonly touched: Set<StreamState>;
  readonly settings: Map<string, Buffer | undefined>;
  readonly waiting: Settled[];
}

const emptyGroup = (): Group => ({ blocks: [], newNames: [], touched: new Set(), settings: new Map(), waiting: [] });

/**
 * Writes in groups: while one group is being synced to disk, the next is collected, so that many
 * small appends share one sync. Nobody is answered before the sync of their group is done.
 */
export class GroupCommit {
  private group = emptyGroup();
  private builder: BlockBuilder;
  private isCommitting = false;
  private isScheduled = false;
  private idle: (() => void)[] = [];

  constructor(
    private readonly environment: Environment,
    private readonly log: BlockLog,
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
    if (!this.isCommitting) setImmediate(() => void this.commit());
  }

  private async commit(): Promise<void> {
    this.isScheduled = false;
    this.isCommitting = true;
    if (!this.builder.isEmpty) this.group.blocks.push(this.builder.seal());
    const group = this.group;
    this.group = emptyGroup();
    const heads: [StreamState, Head][] = [...group.touched].map((stream) => [stream, stream.decided]);
    try {
      await this.write(group);
    } catch (error) {
      this.fail(group, error as Error);
      return;
    }
    this.publish(group, heads);
    this.isCommitting = false;
    this.next();
  }

  /** Everything of a group in one transaction. */
  private async write(group: Group): Promise<void> {
    const { log, index, names, settings, root } = this.environment;
    if (group.blocks.length === 0 && group.settings.size === 0) return;
    await root.batch(() => {
      for (const block of group.blocks) {
        void log.put(block.first, block.bytes);
        for (const run of block.runs) void index.put(runKey(run.stream, run.firstRevision), runValue(run.block, run.count));
      }
      for (const stream of group.newNames) void names.put(nameKey(stream.nameBytes), numberValue(stream.number));
      for (const [key, value] of group.settings) void (value === undefined ? settings.remove(key) : settings.put(key, value));
    });
  }

  private publish(group: Group, heads: readonly [StreamState, Head][]): void {
    const last = group.blocks.at(-1);
    if (last !== undefined) {
      this.log.committed(
        group.blocks.map((block) => Block.written(block.bytes)),
        last.first + last.count,
      );
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

  private next(): void {
    if (this.isScheduled) void this.commit();
    else for (const resolve of this.idle.splice(0)) resolve();
  }

  private builderAtEnd(): BlockBuilder {
    return new BlockBuilder(this.log.end, this.log.last()?.count ?? 0);
  }
}

function numberValue(number: number): Buffer {
  const value = Buffer.allocUnsafe(8);
  value.writeDoubleLE(number, 0);
  return value;
}
