import type { RowBatch } from '../../platform/rows/batch.js';

export { inPlaces, placeOf, RowsError, type ReadFrom, type RowBatch } from '../../platform/rows/batch.js';

/** The rows of a file or of standard input, and how far they have been read. */
export interface RowSource {
  readonly batches: AsyncIterable<RowBatch>;
  /** What has been read so far, in the unit that `size` has. */
  readonly read: () => number;
  /** Undefined where the end is not known, as for a pipe. */
  readonly size?: number;
  readonly unit: 'bytes' | 'rows';
}
