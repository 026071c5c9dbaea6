import type { Aggregate } from '../aggregates.js';

/** Where folds of long streams are kept. What it gives back is only taken after a look at the stream. */
export interface Snapshots {
  /** The kept fold of a stream; undefined when there is none that this release made, or it cannot be read. */
  find(stream: string): Promise<Aggregate | undefined>;
  /** Keeps a fold, in the background. */
  keep(stream: string, aggregate: Aggregate): void;
  /** Removes a fold that the stream has shown to be wrong. */
  forget(stream: string): void;
}

/**
 * How many events a stream must have before its fold is kept or looked for. Measured (bench/snapshots.ts): at this many a
 * snapshot wins nothing yet, at three times as many it is five times as fast. Shorter streams never ask Postgres.
 */
export const longStream = 1000;

/** A fold is kept again when it has grown by this share: a restart then reads at most as much of the stream anew. */
const growth = 0.1;

/** Whether a fold of so many events is worth keeping when one of `kept` events is there; 0 for none. */
export const isWorthKeeping = ({ revision, isWhole }: Aggregate, kept: bigint): boolean =>
  isWhole && Number(revision + 1n - kept) >= Math.max(longStream, Number(kept) * growth);
