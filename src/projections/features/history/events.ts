import { decodeChunk, featureRowsWritten, type BlockHead, type RowBlock } from '../../../domain/features/chunk.js';
import type { StoredEvent } from '../../../platform/eventstore/port.js';
import type { Written } from './known.js';

/** One event of a group's history, decoded. */
export interface HistoryEvent extends Written {
  readonly revision: bigint;
  readonly block: BlockHead & RowBlock;
}

/** Decodes an event of a stream of rows. Throws on a type that this release does not know: skipping it could lose rows. */
export function historyEvent(event: StoredEvent): HistoryEvent {
  if (event.type !== featureRowsWritten.type) {
    throw new Error(`${event.stream} holds an event of type ${event.type}, which this release does not know`);
  }
  return { revision: event.revision, position: event.position, recordedAtUs: event.recordedAt.getTime() * 1000, block: decodeChunk(event.data, Number(event.metadata['version'] ?? 1)) };
}

/** About how many bytes of memory a decoded event holds. */
export function heldBytes({ block }: HistoryEvent): number {
  const perRow = 4 + 8 + 8 * block.columns.size;
  return 1024 + block.rows * perRow + block.keys.length * 48;
}
