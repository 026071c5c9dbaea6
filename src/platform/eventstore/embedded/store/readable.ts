import { isSoftDeleted } from './metadata.js';
import type { Head } from './streams.js';

/** The first revision that `$maxCount` and `$tb` leave readable. */
export function firstReadable({ last, metadata }: Head): number {
  const byCount = metadata.maxCount === undefined ? 0 : last - metadata.maxCount + 1;
  return Math.max(0, byCount, metadata.truncateBefore ?? 0);
}

/** The time before which `$maxAge` hides events. */
export const oldestReadable = ({ metadata }: Head, nowMs: number): number => (metadata.maxAgeMs === undefined ? -Infinity : nowMs - metadata.maxAgeMs);

/** Whether there is something that a reader may be told of: neither never written nor deleted softly. */
export const isThere = (head: Head): boolean => head.last >= 0 && !isSoftDeleted(head.metadata);
