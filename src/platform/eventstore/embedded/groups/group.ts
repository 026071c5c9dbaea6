import { LogForward, StreamForward, type Cursor } from '../reading/cursor.js';
import { rowFilter, type RowFilter } from '../reading/filter.js';
import { resolvedFrame } from '../reading/links.js';
import { groupDropped, maximumSubscribersReached, type Refusal } from '../refusals.js';
import { recordedReader, type Block } from '../store/block.js';
import type { EventStore } from '../store/event-store.js';
import { firstReadable } from '../store/readable.js';
import { ALL, groupKey, type GroupConfig } from './config.js';
import type { Consumer } from './consumer.js';
import type { Message } from './message.js';
import { Parked } from './parked.js';
import { chooser, type Chooser } from './strategy.js';
import { GroupCheckpoint } from './group-checkpoint.js';

/** What a consumer says of an event that it does not acknowledge. */
export type NackAction = 'park' | 'retry' | 'skip' | 'stop';

/** Events looked at in one turn while a filter lets none through. */
const LOOKED_AT = 2048;

/** One persistent subscription: reads its source ahead of its consumers and hands each event to one of them until it is acknowledged. */
export class Group {
  readonly consumers: Consumer[] = [];
  readonly parked: Parked;
  /** The last place of the source that was read. */
  lastKnown: number | undefined;
  private readonly waiting: Message[] = [];
  private readonly cursor: Cursor & { next(): { block: Block; from: number; to: number } | undefined };
  private readonly filter: RowFilter | undefined;
  private readonly choose: Chooser;
  private readonly checkpoint: GroupCheckpoint;
  private readonly deadlines = new Map<string, { at: number; consumer: Consumer }>();
  private readonly stopWatching: () => void;
  private rest: { block: Block; from: number; to: number } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isPumping = false;

  constructor(
    private readonly store: EventStore,
    readonly config: GroupConfig,
  ) {
    this.filter = config.filter && rowFilter(config.filter);
    this.choose = chooser(config.strategy);
    this.parked = new Parked(store, config);
    this.checkpoint = new GroupCheckpoint(store, config);
    this.cursor = this.cursorFrom(this.checkpoint.stored === undefined ? this.startOf() : this.checkpoint.stored + 1);
    const pump = () => this.pump();
    this.stopWatching = config.source === ALL ? store.signal.watchLog(pump) : store.signal.watchStream(config.source, pump);
    pump();
  }

  /** The last place up to which everything is acknowledged. */
  get checkpointed(): number | undefined {
    return this.checkpoint.stored;
  }

  get inFlight(): number {
    return this.deadlines.size;
  }

  get buffered(): { total: number; retried: number } {
    return { total: this.waiting.length, retried: this.waiting.filter((message) => message.retries > 0).length };
  }

  connect(consumer: Consumer): void {
    const { maxSubscriberCount } = this.config;
    if (maxSubscriberCount !== 0 && this.consumers.length >= maxSubscriberCount) throw maximumSubscribersReached(this.config);
    this.consumers.push(consumer);
    consumer.confirm(groupKey(this.config));
    this.pump();
  }

  /** Takes back what the consumer had: the others get it before anything new. */
  disconnect(consumer: Consumer): void {
    const at = this.consumers.indexOf(consumer);
    if (at < 0) return;
    this.consumers.splice(at, 1);
    const back = [...consumer.unacknowledged.values()];
    for (const message of back) {
      this.deadlines.delete(message.id);
      message.retries++;
    }
    this.waiting.unshift(...back);
    this.pump();
  }

  acknowledge(consumer: Consumer, ids: readonly string[]): void {
    for (const id of ids) this.finish(consumer, id);
    this.pump();
  }

  refuse(consumer: Consumer, ids: readonly string[], action: NackAction, reason: string): void {
    for (const id of ids) {
      const message = consumer.unacknowledged.get(id);
      if (message === undefined) continue;
      if (action === 'skip') this.finish(consumer, id);
      else if (action === 'park') this.park(consumer, message, reason);
      else this.retry(consumer, message, reason);
    }
    if (action === 'stop') consumer.drop(groupDropped(this.config));
    this.pump();
  }

  /** Hands out parked events again, the oldest first, at most `limit`. */
  replay(limit: number): void {
    this.waiting.push(...this.parked.take(limit));
    this.pump();
  }

  /** Ends every reader and stops reading. What is acknowledged stays so. */
  stop(reason: Refusal): void {
    this.stopWatching();
    clearTimeout(this.timer);
    this.checkpoint.save();
    for (const consumer of this.consumers.splice(0)) consumer.drop(reason);
  }

  private finish(consumer: Consumer, id: string): void {
    const message = consumer.unacknowledged.get(id);
    if (message === undefined) return;
    this.release(consumer, message);
    this.settle(message);
  }

  private release(consumer: Consumer, message: Message): void {
    consumer.unacknowledged.delete(message.id);
    this.deadlines.delete(message.id);
  }

  private settle({ place, parkedAt }: Message): void {
    if (place !== undefined) this.checkpoint.done(place);
    if (parkedAt !== undefined) this.parked.done(parkedAt);
  }

  private retry(consumer: Consumer, message: Message, reason: string): void {
    if (message.retries >= this.config.maxRetryCount) return this.park(consumer, message, reason);
    this.release(consumer, message);
    message.retries++;
    this.waiting.push(message);
  }

  private park(consumer: Consumer, message: Message, reason: string): void {
    this.release(consumer, message);
    // Not before it is safe among the parked ones is it done with here.
    void this.parked.add(message, reason).then(() => this.settle(message));
  }

  /** Reads ahead as far as the buffer allows and hands out what there is room for. */
  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    let looked = 0;
    for (;;) {
      this.dispatch();
      if (this.waiting.length >= Math.max(1, this.config.historyBufferSize)) break;
      const read = this.read();
      if (read === 0) break;
      looked += read;
      if (looked < LOOKED_AT) continue;
      setImmediate(() => this.pump());
      break;
    }
    this.isPumping = false;
    this.watchDeadlines();
  }

  private dispatch(): void {
    if (this.consumers.length === 0) return;
    for (let i = 0; i < this.waiting.length; ) {
      const message = this.waiting[i]!;
      const consumer = this.choose(this.consumers, message);
      if (consumer === undefined) {
        if (!this.consumers.some((each) => each.hasRoom)) return;
        i++;
        continue;
      }
      this.waiting.splice(i, 1);
      consumer.send(message);
      this.deadlines.set(message.id, { at: performance.now() + this.config.messageTimeoutMs, consumer });
    }
  }

  /** Takes in some events of the source; returns how many were looked at. */
  private read(): number {
    const slice = this.rest ?? this.cursor.next();
    this.rest = undefined;
    if (slice === undefined) return 0;
    const room = Math.max(1, Math.min(this.config.readBatchSize, this.config.historyBufferSize - this.waiting.length));
    const to = Math.min(slice.to, slice.from + room);
    for (let row = slice.from; row < to; row++) this.takeIn(slice.block, row);
    if (to < slice.to) this.rest = { ...slice, from: to };
    return to - slice.from;
  }

  private takeIn(block: Block, row: number): void {
    if (!block.has(row)) return;
    const place = this.config.source === ALL ? block.position(row) : block.revision(row);
    this.lastKnown = place;
    if (this.filter?.(block, row) === false) return this.checkpoint.skipped(place);
    this.checkpoint.began(place);
    const event = recordedReader(block.frame(row));
    const stream = event.streamName();
    this.waiting.push({
      id: event.id(),
      place,
      parkedAt: undefined,
      target: `${block.revision(row)}@${stream}`,
      frame: this.config.resolveLinks ? resolvedFrame(this.store, block, row) : block.frame(row),
      pin: this.config.strategy === 'PinnedByCorrelation' ? (correlationOf(event.metadata()) ?? stream) : stream,
      retries: 0,
    });
  }

  /** Gives out again what was not acknowledged in time. */
  private watchDeadlines(): void {
    clearTimeout(this.timer);
    if (this.config.messageTimeoutMs <= 0) return;
    for (const { at } of this.deadlines.values()) {
      this.timer = setTimeout(() => this.timeOut(), Math.max(1, at - performance.now()));
      return;
    }
  }

  private timeOut(): void {
    const now = performance.now();
    for (const [id, { at, consumer }] of this.deadlines) {
      if (at > now) break;
      const message = consumer.unacknowledged.get(id);
      if (message !== undefined) this.retry(consumer, message, 'The event was not acknowledged in time.');
    }
    this.pump();
  }

  private startOf(): number {
    const { from, source } = this.config;
    if (from === 'start') return 0;
    if (from !== 'end') return from;
    return source === ALL ? this.store.log.end : this.store.streams.get(source).committed.last + 1;
  }

  private cursorFrom(place: number): Cursor {
    const { source } = this.config;
    if (source === ALL) return new LogForward(this.store.log, place);
    return new StreamForward(this.store, source, Math.max(place, firstReadable(this.store.streams.get(source).committed)));
  }
}

function correlationOf(metadata: Buffer): string | undefined {
  try {
    const value = (JSON.parse(metadata.toString('utf8')) as Record<string, unknown> | null)?.['$correlationId'];
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
