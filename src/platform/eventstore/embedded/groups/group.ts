import { status } from '@grpc/grpc-js';
import { maximumSubscribersReached, Refusal } from '../refusals.js';
import { isDamage } from '../store/data-file.js';
import type { EventStore } from '../store/event-store.js';
import { Backlog } from './backlog.js';
import { groupKey, type GroupConfig } from './config.js';
import type { Consumer } from './consumer.js';
import { frameOf } from './delivered.js';
import { GroupCheckpoint } from './group-checkpoint.js';
import type { Message } from './message.js';
import { Parked } from './parked.js';
import { GroupSource } from './source.js';
import { chooser, type Chooser } from './strategy.js';

/** What a consumer says of an event that it does not acknowledge. `stop` is a skip: the real server has never given it a meaning of its own. */
export type NackAction = 'park' | 'retry' | 'skip' | 'stop';

/** Events looked at in one turn, and bytes read: what reading takes for a moment is let go of between turns. */
const LOOKED_AT = 2048;
const BYTES_A_TURN = 8 * 1024 * 1024;
/** Events that wait in memory at most, whatever size of buffer was asked for. */
const MOST_BUFFERED = 20_000;
const PARKED_AGAIN_MS = 1_000;

/** One persistent subscription: reads its source ahead of its consumers and hands each event to one of them until it is acknowledged. */
export class Group {
  readonly consumers: Consumer[] = [];
  readonly parked: Parked;
  /** The last place of the source that was read. */
  lastKnown: number | undefined;
  private readonly backlog = new Backlog();
  private readonly source: GroupSource;
  private readonly chooser: Chooser;
  private readonly checkpoint: GroupCheckpoint;
  private readonly deadlines = new Map<string, { at: number; consumer: Consumer }>();
  private readonly stopWatching: () => void;
  private isCaughtUp = false;
  /** How many events are left of the batch that is being read. */
  private batch = 0;
  private timer: NodeJS.Timeout | undefined;
  private isPumping = false;
  private isStopped = false;
  /** Why nothing can be read any more: an event that is damaged. */
  private fault: Refusal | undefined;

  constructor(
    private readonly store: EventStore,
    readonly config: GroupConfig,
  ) {
    this.chooser = chooser(config.strategy);
    this.parked = new Parked(store, config);
    this.checkpoint = new GroupCheckpoint(store, config);
    this.source = new GroupSource(store, config, this.checkpoint.stored);
    this.stopWatching = this.source.watch(() => this.pump());
    this.pump();
  }

  /** The last place up to which everything is acknowledged. */
  get checkpointed(): number | undefined {
    return this.checkpoint.stored;
  }

  get status(): 'Live' | 'Behind' {
    return this.isCaughtUp ? 'Live' : 'Behind';
  }

  get inFlight(): number {
    return this.deadlines.size;
  }

  /** How many events wait for a consumer: for the first time, and again. */
  get waiting(): { read: number; retried: number } {
    return { read: this.backlog.newCount, retried: this.backlog.retriedCount };
  }

  connect(consumer: Consumer): void {
    const { maxSubscriberCount } = this.config;
    if (this.fault !== undefined) throw this.fault;
    if (maxSubscriberCount !== 0 && this.consumers.length >= maxSubscriberCount) throw maximumSubscribersReached(this.config);
    this.consumers.push(consumer);
    this.chooser.added(consumer);
    consumer.onRoom = () => this.pump();
    consumer.confirm(groupKey(this.config));
    this.pump();
  }

  /** Takes back what the consumer had: the others get it before anything new. */
  disconnect(consumer: Consumer): void {
    const at = this.consumers.indexOf(consumer);
    if (at < 0) return;
    this.consumers.splice(at, 1);
    this.chooser.removed(consumer);
    for (const message of [...consumer.unacknowledged.values()]) this.giveAgain(consumer, message);
    this.pump();
  }

  /** Events are known by their ids, whichever consumer has them: one that took too long may still acknowledge what another got. */
  acknowledge(ids: readonly string[]): void {
    for (const id of ids) this.finish(id);
    this.pump();
  }

  refuse(ids: readonly string[], action: NackAction, reason: string): void {
    for (const id of ids) {
      const held = this.held(id);
      if (held === undefined) continue;
      if (action === 'park') this.park(held.consumer, held.message, `Client explicitly NAK'ed message.\n${reason}`);
      else if (action === 'retry') this.retry(held.consumer, held.message);
      else this.finish(id);
    }
    this.pump();
  }

  /** Hands out parked events again, the oldest first, up to the one of this number among them. */
  replay(stopAt: number): void {
    for (const message of this.parked.take(stopAt)) this.backlog.addAgain(message);
    this.pump();
  }

  /** Ends every reader and stops reading. What is acknowledged stays so. */
  stop(reason: Refusal): void {
    this.isStopped = true;
    this.stopWatching();
    clearTimeout(this.timer);
    this.checkpoint.save();
    for (const consumer of this.consumers.splice(0)) consumer.drop(reason);
  }

  private held(id: string): { consumer: Consumer; message: Message } | undefined {
    const consumer = this.deadlines.get(id)?.consumer;
    const message = consumer?.unacknowledged.get(id);
    return consumer && message && { consumer, message };
  }

  private finish(id: string): void {
    const held = this.held(id);
    if (held === undefined) return;
    this.release(held.consumer, held.message);
    this.settle(held.message);
  }

  private release(consumer: Consumer, message: Message): void {
    consumer.unacknowledged.delete(message.id);
    this.deadlines.delete(message.id);
  }

  private settle({ place, parkedAt }: Message): void {
    if (place !== undefined) this.checkpoint.done(place);
    if (parkedAt !== undefined) this.parked.done(parkedAt);
  }

  private retry(consumer: Consumer, message: Message): void {
    const { maxRetryCount } = this.config;
    if (message.retries >= maxRetryCount) this.park(consumer, message, `Reached retry count of ${maxRetryCount}`);
    else this.giveAgain(consumer, message);
  }

  private giveAgain(consumer: Consumer, message: Message): void {
    this.release(consumer, message);
    message.retries++;
    this.backlog.addAgain(message);
  }

  private park(consumer: Consumer, message: Message, reason: string): void {
    this.release(consumer, message);
    this.setAside(message, reason);
  }

  /** Not before it is safe among the parked ones is a message done with; on a full disk that takes its time. */
  private setAside(message: Message, reason: string): void {
    this.parked.add(message, reason).then(
      () => this.settle(message),
      () => setTimeout(() => this.isStopped || this.setAside(message, reason), PARKED_AGAIN_MS).unref(),
    );
  }

  /** Reads ahead as far as the buffer allows and hands out what there is room for. */
  private pump(): void {
    if (this.isPumping || this.isStopped || this.fault !== undefined) return;
    this.isPumping = true;
    try {
      this.move();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.fail(error);
    } finally {
      this.isPumping = false;
    }
    this.watchDeadlines();
  }

  private move(): void {
    this.dispatch();
    for (let looked = 0, bytes = 0; this.mayRead(); ) {
      bytes += this.takeIn();
      if (++looked < LOOKED_AT && bytes < BYTES_A_TURN) continue;
      setImmediate(() => this.pump());
      break;
    }
  }

  /** Ends its readers with the reason, and those who come: what is damaged is not passed over in silence. */
  private fail(damage: Error): void {
    this.fault = damage instanceof Refusal ? damage : new Refusal(status.DATA_LOSS, 'The data file of the event store is damaged where this group reads.');
    for (const consumer of [...this.consumers]) consumer.drop(this.fault);
  }

  /** While it catches up, a group begins a batch of reads when the buffer has room for more than that; then it takes what comes until the buffer is full. */
  private mayRead(): boolean {
    const { readBatchSize } = this.config;
    const historyBufferSize = Math.min(this.config.historyBufferSize, Math.max(MOST_BUFFERED, readBatchSize + 1));
    if (this.source.isAtEnd) {
      this.isCaughtUp = true;
      return false;
    }
    if (this.isCaughtUp) return (this.isCaughtUp = this.backlog.newCount < historyBufferSize);
    if (this.batch === 0 && historyBufferSize - this.backlog.size > readBatchSize) this.batch = readBatchSize;
    return this.batch > 0;
  }

  /** Takes in the next event; returns the bytes that were read for it. */
  private takeIn(): number {
    const { place, message, bytes } = this.source.next()!;
    if (message === undefined) this.checkpoint.skipped(place);
    else {
      this.lastKnown = place;
      if (this.batch > 0) this.batch--;
      this.checkpoint.began(place);
      this.backlog.add(message);
      this.dispatch();
    }
    return bytes;
  }

  private dispatch(): void {
    if (!this.consumers.some((consumer) => consumer.hasRoom)) return;
    this.backlog.offer((message) => {
      const consumer = this.chooser.choose(message);
      if (consumer === undefined) return this.consumers.some((each) => each.hasRoom) ? 'left' : undefined;
      this.hand(consumer, message);
      return 'taken';
    });
  }

  private hand(consumer: Consumer, message: Message): void {
    const framed = frameOf(this.store, message);
    if (framed === undefined) return this.settle(message);
    consumer.send(message, framed);
    // The same event id twice in one source: the one that is under way stands for both.
    if (this.deadlines.has(message.id)) return this.settle(message);
    consumer.unacknowledged.set(message.id, message);
    this.deadlines.set(message.id, { at: performance.now() + this.config.messageTimeoutMs, consumer });
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
    for (const [id, { at }] of this.deadlines) {
      if (at > now) break;
      const held = this.held(id);
      if (held !== undefined) this.retry(held.consumer, held.message);
    }
    this.pump();
  }
}
