import { decodeChunk, featureRowsWritten, type BlockHead, type RowBlock } from '../../../domain/features/chunk.js';
import { BytesBlock, readChunk } from '../../../domain/features/chunk-bytes/read-chunk.js';
import { featureEntityDeleted, type FeatureEntityDeleted } from '../../../domain/features/deletion.js';
import { decode } from '../../../domain/kit/index.js';
import { UndecodableEvent } from '../../../platform/eventstore/decode-stored.js';
import type { StoredEvent } from '../../../platform/eventstore/port.js';
import type { Written } from './known.js';

interface OfHistory extends Written {
  readonly revision: bigint;
}

/** Rows that were written together, decoded. */
export interface RowsWritten extends OfHistory {
  readonly block: BytesBlock | (BlockHead & RowBlock);
}

/** The deletion of an entity. */
export interface EntityDeleted extends OfHistory {
  readonly deleted: FeatureEntityDeleted['data'];
}

/** One event of a group's history. */
export type HistoryEvent = RowsWritten | EntityDeleted;

/** Decodes an event of a stream of rows; throws UndecodableEvent, also on a type that this release does not know: skipping it could lose rows. */
export function historyEvent(event: StoredEvent): HistoryEvent {
  try {
    return decoded(event);
  } catch (error) {
    throw new UndecodableEvent(event, error);
  }
}

function decoded(event: StoredEvent): HistoryEvent {
  const written = { revision: event.revision, position: event.position, recordedAtUs: event.recordedAt.getTime() * 1000 };
  const version = Number(event.metadata['version'] ?? 1);
  switch (event.type) {
    case featureRowsWritten.type:
      return { ...written, block: blockOf(event, version) };
    case featureEntityDeleted.type:
      return { ...written, deleted: decode(featureEntityDeleted, version, event.data).data };
    default:
      throw new Error(`this release does not know the type ${event.type} in a stream of rows`);
  }
}

/** The rows of an event, from its bytes where they are as this release writes them. */
const blockOf = (event: StoredEvent, version: number): RowsWritten['block'] =>
  (event.rawData && version <= featureRowsWritten.version ? readChunk(event.rawData) : undefined) ?? decodeChunk(event.data, version);

/** An event as it is kept in memory. */
export interface KeptEvent {
  readonly event: HistoryEvent;
  /** About how many bytes of memory it holds. */
  readonly bytes: number;
}

/** The event in as little memory as it needs. */
export function keptEvent(event: HistoryEvent): KeptEvent {
  if ('deleted' in event) return { event, bytes: 1024 };
  const { block } = event;
  // The values of rows that came through JSON.parse are objects for the most part.
  if (!(block instanceof BytesBlock)) return { event, bytes: 1024 + block.rows * (12 + 32 * block.columns.size) + block.keys.length * 64 };
  const packed = block.packed();
  return { event: { ...event, block: packed }, bytes: packed.heldBytes };
}
