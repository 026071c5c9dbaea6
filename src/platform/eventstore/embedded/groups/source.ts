import { LogForward, StreamForward, type Slice } from '../reading/cursor.js';
import { rowFilter, type RowFilter } from '../reading/filter.js';
import { resolvedFrame } from '../reading/links.js';
import { recordedReader, type Block } from '../store/block.js';
import type { EventStore } from '../store/event-store.js';
import { firstReadable } from '../store/readable.js';
import { ALL, isParkedOfAll, type GroupConfig } from './config.js';
import { lookAt } from './delivered.js';
import type { Message } from './message.js';

/** What a group's source has at one place: a message for its consumers, or something that is not for them; and the bytes that were read for it. */
export type Found = { readonly place: number; readonly message: Message | undefined; readonly bytes: number };

/** Reads a group's source, a stream or the log, one event at a time. */
export class GroupSource {
  private readonly cursor: { next(): Slice | undefined };
  private readonly filter: RowFilter | undefined;
  private slice: Slice | undefined;
  private row = 0;

  constructor(
    private readonly store: EventStore,
    private readonly config: GroupConfig,
    /** The last place that is done with; undefined begins where the group is configured to. */
    done: number | undefined,
  ) {
    const { source } = config;
    this.filter = config.filter && rowFilter(config.filter);
    const from = done === undefined ? this.start() : done + 1;
    this.cursor = source === ALL ? new LogForward(store.log, from) : new StreamForward(store, source, Math.max(from, firstReadable(store.streams.get(source).committed)));
  }

  /** Calls back when there may be more. Returns how to end that. */
  watch(pump: () => void): () => void {
    const { source } = this.config;
    return source === ALL ? this.store.signal.watchLog(pump) : this.store.signal.watchStream(source, pump);
  }

  /** Whether everything that there is now was read. */
  get isAtEnd(): boolean {
    while (this.slice === undefined || this.row >= this.slice.to || !this.slice.block.has(this.row)) {
      if (this.slice !== undefined && this.row < this.slice.to) this.row++;
      else {
        this.slice = this.cursor.next();
        if (this.slice === undefined) return true;
        this.row = this.slice.from;
      }
    }
    return false;
  }

  /** The next event; undefined at the end, after which it may be asked again. */
  next(): Found | undefined {
    return this.isAtEnd ? undefined : this.find(this.slice!.block, this.row++);
  }

  private find(block: Block, row: number): Found {
    const { source, resolveLinks } = this.config;
    const place = source === ALL ? block.position(row) : block.revision(row);
    const isWanted = source !== ALL || (this.filter === undefined ? !isParkedOfAll(block.streamName(row)) : this.filter(block, row));
    if (!isWanted) return { place, message: undefined, bytes: 0 };
    const frame = resolveLinks ? resolvedFrame(this.store, block, row) : block.frame(row);
    const id = recordedReader(block.frame(row)).id();
    const stands = { place, parkedAt: undefined, revision: block.revision(row), position: block.position(row), resolves: resolveLinks };
    return { place, bytes: frame.length, message: { id, ...stands, ...lookAt(recordedReader(frame), this.config), retries: 0 } };
  }

  private start(): number {
    const { from, source } = this.config;
    if (from === 'start') return 0;
    if (from !== 'end') return from;
    return source === ALL ? this.store.log.end : this.store.streams.get(source).committed.last + 1;
  }
}
