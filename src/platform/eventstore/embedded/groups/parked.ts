import { randomUUID } from 'node:crypto';
import { LINK_TYPE, resolvedFrame } from '../reading/links.js';
import { StreamForward } from '../reading/cursor.js';
import { recordedReader, type Block } from '../store/block.js';
import type { EventStore } from '../store/event-store.js';
import { metastreamOf } from '../store/metadata.js';
import { firstReadable } from '../store/readable.js';
import { NO_BYTES, type ProposedEvent } from '../wire/recorded-event.js';
import { parkedStream, type GroupConfig } from './config.js';
import { lookAt } from './delivered.js';
import type { Message } from './message.js';

const TYPE = Buffer.from(LINK_TYPE);
const TYPE_METADATA = Buffer.from('$metadata');

/** The events that a group's consumers could not handle: links in a stream of their own, until they are replayed and acknowledged. */
export class Parked {
  private readonly stream: string;
  /** Replayed and not yet acknowledged. */
  private readonly replayed = new Set<number>();
  /** The first one that was not replayed. */
  private next = 0;

  constructor(
    private readonly store: EventStore,
    private readonly config: GroupConfig,
  ) {
    this.stream = parkedStream(config);
  }

  /** How many there are that are not being replayed. */
  get count(): number {
    const head = this.store.streams.get(this.stream).committed;
    return Math.max(0, head.last + 1 - Math.max(this.next, firstReadable(head)));
  }

  /** Sets an event aside; resolves when that is durable. */
  async add({ target, revision }: Message, reason: string): Promise<void> {
    const noted = Buffer.from(JSON.stringify({ added: new Date().toISOString(), reason, subscriptionEventNumber: revision }));
    this.store.appendOwn(this.stream, { id: randomUUID(), type: TYPE, isJson: false, metadata: noted, data: Buffer.from(target) });
    await this.store.settled();
  }

  /** The parked events that are not being replayed already, up to but without the one of this number. */
  take(stopAt: number): Message[] {
    const { committed } = this.store.streams.get(this.stream);
    const end = Math.min(stopAt, committed.last + 1);
    const cursor = new StreamForward(this.store, this.stream, Math.max(this.next, firstReadable(committed)));
    const taken: Message[] = [];
    for (let slice = cursor.next(); slice !== undefined; slice = cursor.next()) {
      for (let row = slice.from; row < slice.to; row++) {
        if (slice.block.revision(row) >= end) return taken;
        taken.push(this.replayedAt(slice.block, row));
      }
    }
    return taken;
  }

  /** A replayed event is done with; those before the oldest that is not are gone. */
  done(parkedAt: number): void {
    this.replayed.delete(parkedAt);
    const [oldest = this.next] = this.replayed;
    const json = Buffer.from(JSON.stringify({ $tb: oldest }));
    const event: ProposedEvent = { id: randomUUID(), type: TYPE_METADATA, isJson: true, metadata: NO_BYTES, data: json };
    this.store.appendOwn(metastreamOf(this.stream), event);
  }

  /** Forgets all of them; resolves when that is durable. */
  async remove(): Promise<void> {
    if (this.store.streams.get(this.stream).committed.last < 0) return;
    await new Promise<void>((resolve) => this.store.delete(this.stream, 'any', () => resolve()));
  }

  private replayedAt(block: Block, row: number): Message {
    const parkedAt = block.revision(row);
    this.replayed.add(parkedAt);
    this.next = parkedAt + 1;
    const frame = resolvedFrame(this.store, block, row);
    const seen = lookAt(recordedReader(frame), { strategy: this.config.strategy, resolveLinks: true });
    return { id: recordedReader(block.frame(row)).id(), place: undefined, parkedAt, revision: parkedAt, position: block.position(row), resolves: true, ...seen, retries: 0 };
  }
}
