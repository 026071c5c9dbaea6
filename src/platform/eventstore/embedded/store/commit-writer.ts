import type { Block } from './block.js';
import type { BlockLog } from './block-log.js';
import type { Environment } from './environment.js';
import type { Indexes } from './indexes.js';
import { encodeMark, Journal, JOURNAL_MARK } from './journal.js';
import type { MappedMemory } from './mapped-memory.js';
import type { Pending } from './pending.js';
import { transact } from './transaction.js';

/** What one commit makes durable. */
export interface Commit {
  readonly blocks: readonly Block[];
  /** Settings by name; undefined removes one. */
  readonly settings: ReadonlyMap<string, Buffer | undefined>;
  /** Other changes that belong to the same transaction. */
  readonly work: readonly (() => void)[];
  readonly storesAllIndexes: boolean;
}

/** What the journal holds is stored when it is so much, or so old. */
const STORED_AT_BYTES = 512 * 1024;
export const STORED_AFTER_MS = 100;
/** A transaction for one writer alone is made in its turn while they take no longer than this: that spares it the way to another thread and back. */
const QUICK_MS = 1;

const NOTHING: Commit = { blocks: [], settings: new Map(), work: [], storesAllIndexes: false };

/**
 * Makes commits durable: in the journal, which takes one short write, and in LMDB some time later, many of them in one
 * transaction. What is too large for the journal or changes more than it can tell goes to LMDB at once, with everything before it.
 */
export class CommitWriter {
  private turn: Promise<unknown> = Promise.resolve();
  private isStoring = false;
  private timer: NodeJS.Timeout | undefined;
  private lastTook = 0;
  private isClosing = false;
  private hasTriedToBegin = false;
  /** Whether the journal may be written. Not before LMDB knows of it, and not after a failure, until LMDB has taken what went before. */
  private usesJournal: boolean;

  constructor(
    private readonly environment: Environment,
    private readonly log: BlockLog,
    private readonly indexes: Indexes,
    private readonly pending: Pending,
    private readonly mapped: Pick<MappedMemory, 'look' | 'noteRemapped'>,
    /** The journal that the node before this one left; without one it is begun with the first commit. */
    private journal: Journal | undefined,
  ) {
    this.usesJournal = journal !== undefined;
    this.storeSoon();
  }

  /** Resolves when the commit is durable; rejects when none of it is. */
  async write(commit: Commit, isAlone: boolean): Promise<void> {
    const { blocks, settings, work, storesAllIndexes } = commit;
    if (blocks.length === 0 && settings.size === 0 && work.length === 0 && !storesAllIndexes) return;
    if (work.length === 0 && !storesAllIndexes && (await this.writeToJournal(commit))) return this.storeSoon();
    this.beginJournal();
    await this.inTurn(() => this.store(commit, isAlone));
  }

  /** Lets go of the pages that reading has mapped; nothing may be written meanwhile. */
  remap(): Promise<void> {
    return this.inTurn(async () => {
      await this.environment.remap();
      this.mapped.noteRemapped();
    });
  }

  /** Leaves nothing for the next start to recover. */
  async close(): Promise<void> {
    this.isClosing = true;
    try {
      await this.inTurn(() => this.store({ ...NOTHING, storesAllIndexes: true }, false));
    } finally {
      clearTimeout(this.timer);
      this.journal?.close();
    }
  }

  /** One transaction at a time. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** Begins the journal once; a disk without room for it goes without one until the next start. */
  private beginJournal(): void {
    if (this.journal !== undefined || this.hasTriedToBegin || !this.environment.isDurable) return;
    this.hasTriedToBegin = true;
    try {
      this.journal = Journal.begin(this.environment.dir);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  private async writeToJournal({ blocks, settings }: Commit): Promise<boolean> {
    const { journal, pending } = this;
    if (journal === undefined || !this.usesJournal) return false;
    const sequence = pending.last + 1;
    try {
      if (!(await journal.write({ sequence, blocks: blocks.map(({ bytes }) => bytes), settings }))) return false;
    } catch {
      // It may be there in part or whole. It does not count once LMDB says that it was stored, and LMDB is to take this commit.
      pending.last = sequence;
      this.usesJournal = false;
      return false;
    }
    pending.add(sequence, blocks, settings);
    return true;
  }

  private storeSoon(): void {
    if (this.isStoring || this.pending.isEmpty) return;
    if (this.pending.bytes >= STORED_AT_BYTES) void this.storePending();
    else this.timer ??= setTimeout(() => void this.storePending(), STORED_AFTER_MS).unref();
  }

  private async storePending(): Promise<void> {
    this.isStoring = true;
    try {
      await this.inTurn(() => this.store(NOTHING, false));
      this.isStoring = false;
      this.storeSoon();
    } catch {
      // It stays in the journal. The next commit tries again before anything else, and is refused if it must be.
      this.isStoring = false;
    }
  }

  /** Everything that is pending and one commit, in one transaction. */
  private async store({ blocks, settings, work, storesAllIndexes }: Commit, isAlone: boolean): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const taken = this.pending.take();
    const due = this.indexes.due(storesAllIndexes, this.log.end);
    const begun = performance.now();
    try {
      await transact(this.environment, () => {
        for (const block of taken.blocks) this.put(block);
        for (const block of blocks) this.put(block);
        for (const { name, value } of taken.settings) this.set(name, value);
        for (const [name, value] of settings) this.set(name, value);
        for (const change of work) change();
        this.indexes.store(due);
        if (this.journal !== undefined) this.set(JOURNAL_MARK, this.isClosing ? undefined : encodeMark({ id: this.journal.id, stored: taken.last }));
      }, { here: isAlone && this.lastTook <= QUICK_MS });
    } catch (error) {
      this.usesJournal = false;
      throw error;
    }
    this.lastTook = performance.now() - begun;
    this.indexes.release(due);
    this.pending.release(taken);
    this.journal?.release(taken.last);
    this.usesJournal = this.journal !== undefined;
    // The environment is not opened anew once it is to be closed.
    if (!this.isClosing) this.mapped.look();
  }

  private put(block: Block): void {
    void this.environment.log.put(block.first, block.bytes);
  }

  private set(name: string, value: Buffer | undefined): void {
    const { settings } = this.environment;
    void (value === undefined ? settings.remove(name) : settings.put(name, value));
  }
}
