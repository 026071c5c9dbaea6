import { decodeChunk, featureRowsWritten, type BlockHead, type RowBlock } from '../../../domain/features/chunk.js';
import { featureEntityDeleted, type FeatureEntityDeleted } from '../../../domain/features/deletion.js';
import { featureRowsPrefix } from '../../../domain/features/streams.js';
import { decode } from '../../../domain/kit/index.js';
import { formatPosition, type EventStore, type StoredEvent } from '../../../platform/eventstore/port.js';

/** Rows as they were just written, or an entity as it was just deleted. */
export type Written = { readonly position: string } & ({ readonly rows: BlockHead & RowBlock } | { readonly deleted: FeatureEntityDeleted['data'] });

export interface Listener {
  heard(written: Written): void;
  /** The log cannot be followed any further. */
  failed(error: unknown): void;
}

/** Follows the rows of all groups from now on, once for everybody who listens; nothing is read while nobody does. */
export class RowTail {
  private readonly listeners = new Set<Listener>();
  private stop?: AbortController;
  private started?: Promise<void>;

  constructor(private readonly eventStore: EventStore) {}

  /** Resolves when everything written from then on will be heard; the function it gives ends the listening. */
  async listen(listener: Listener): Promise<() => void> {
    this.listeners.add(listener);
    const leave = () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.end();
    };
    try {
      await (this.started ??= this.start());
      return leave;
    } catch (error) {
      this.end();
      leave();
      throw error;
    }
  }

  private async start(): Promise<void> {
    const stop = (this.stop = new AbortController());
    const from = await this.eventStore.endOfLog();
    const batches = this.eventStore.subscribe({ from, filter: { streamPrefixes: [featureRowsPrefix()] }, signal: stop.signal });
    this.follow(batches).catch((error: unknown) => {
      this.end();
      for (const listener of this.listeners) listener.failed(error);
    });
  }

  /** The next to listen starts anew. */
  private end(): void {
    this.stop?.abort();
    this.stop = this.started = undefined;
  }

  private async follow(batches: ReturnType<EventStore['subscribe']>): Promise<void> {
    for await (const { events } of batches) {
      for (const event of events) {
        const written = writtenBy(event);
        if (written) for (const listener of this.listeners) listener.heard(written);
      }
    }
  }
}

function writtenBy({ type, data, metadata, position }: StoredEvent): Written | undefined {
  const version = Number(metadata['version'] ?? 1);
  switch (type) {
    case featureRowsWritten.type:
      return { rows: decodeChunk(data, version), position: formatPosition(position) };
    case featureEntityDeleted.type:
      return { deleted: decode(featureEntityDeleted, version, data).data, position: formatPosition(position) };
    default:
      return undefined;
  }
}
