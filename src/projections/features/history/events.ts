import { decodeChunk, featureRowsWritten, type BlockHead, type RowBlock } from '../../../domain/features/chunk.js';
import { featureEntityDeleted, type FeatureEntityDeleted } from '../../../domain/features/deletion.js';
import { decode } from '../../../domain/kit/index.js';
import type { StoredEvent } from '../../../platform/eventstore/port.js';
import type { Written } from './known.js';

interface OfHistory extends Written {
  readonly revision: bigint;
}

/** Rows that were written together, decoded. */
export interface RowsWritten extends OfHistory {
  readonly block: BlockHead & RowBlock;
}

/** The deletion of an entity. */
export interface EntityDeleted extends OfHistory {
  readonly deleted: FeatureEntityDeleted['data'];
}

/** One event of a group's history. */
export type HistoryEvent = RowsWritten | EntityDeleted;

/** Decodes an event of a stream of rows. Throws on a type that this release does not know: skipping it could lose rows. */
export function historyEvent(event: StoredEvent): HistoryEvent {
  const written = { revision: event.revision, position: event.position, recordedAtUs: event.recordedAt.getTime() * 1000 };
  const version = Number(event.metadata['version'] ?? 1);
  switch (event.type) {
    case featureRowsWritten.type:
      return { ...written, block: decodeChunk(event.data, version) };
    case featureEntityDeleted.type:
      return { ...written, deleted: decode(featureEntityDeleted, version, event.data).data };
    default:
      throw new Error(`${event.stream} holds an event of type ${event.type}, which this release does not know`);
  }
}

/** About how many bytes of memory a decoded event holds. */
export function heldBytes(event: HistoryEvent): number {
  if ('deleted' in event) return 1024;
  const { block } = event;
  const perRow = 4 + 8 + 8 * block.columns.size;
  return 1024 + block.rows * perRow + block.keys.length * 48;
}
