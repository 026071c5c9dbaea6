import { randomUUID } from 'node:crypto';
import { LINK_TYPE, resolvedFrame } from '../reading/links.js';
import { StreamForward } from '../reading/cursor.js';
import { recordedReader } from '../store/block.js';
import type { EventStore } from '../store/event-store.js';
import { metastreamOf } from '../store/metadata.js';
import { firstReadable } from '../store/readable.js';
import { NO_BYTES, type ProposedEvent } from '../wire/recorded-event.js';
import { parkedStream, type GroupConfig } from './config.js';
import type { Message } from './message.js';

const TYPE = Buffer.from(LINK_TYPE);
const TYPE_METADATA = Buffer.from('$metadata');

/** The events that a group's consumers could not handle: links in a stream of their own, until they are replayed and acknowledged. */
export class Parked {
  private readonly stream: string;
  /** Replayed and not yet acknowledged. */
  private readonly replayed = new Set<number>();
  private next = 0;

  constructor(
    private readonly store: EventStore,
    config: GroupConfig,
  ) {
    this.stream = parkedStream(config);
  }

  /** How many there are. */
  get count(): number {
    const head = this.store.streams.get(this.stream).committed;
    return head.last < 0 ? 0 : head.last + 1 - firstReadable(head);
  }

  /** Sets an event aside; resolves when that is durable. */
  async add({ target }: Message, reason: string): Promise<void> {
    const noted = Buffer.from(JSON.stringify({ added: new Date().toISOString(), reason }));
    this.store.appendOwn(this.stream, { id: randomUUID(), type: TYPE, isJson: false, metadata: noted, data: Buffer.from(target) });
    await this.store.settled();
  }

  /** The oldest parked events that are not being replayed already. */
  take(limit: number): Message[] {
    const head = this.store.streams.get(this.stream).committed;
    const cursor = new StreamForward(this.store, this.stream, Math.max(this.next, firstReadable(head)));
    const taken: Message[] = [];
    for (let slice = cursor.next(); slice !== undefined && taken.length < limit; slice = cursor.next()) {
      for (let row = slice.from; row < slice.to && taken.length < limit; row++) {
        const { block } = slice;
        const parkedAt = block.revision(row);
        const link = recordedReader(block.frame(row));
        const target = link.data().toString('utf8');
        taken.push({ id: link.id(), place: undefined, parkedAt, target, frame: resolvedFrame(this.store, block, row), pin: target.slice(target.indexOf('@') + 1), retries: 0 });
        this.replayed.add(parkedAt);
        this.next = parkedAt + 1;
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
}
