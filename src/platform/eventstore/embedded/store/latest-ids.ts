import { recordedReader, type Block } from './block.js';
import type { BlockLog } from './block-log.js';
import { isDamage } from './data-file.js';
import { RecentIds } from './recent-ids.js';

/** Reads the ids of the latest events back, so that an append repeated over a restart is known. */
export function rememberLatest(log: BlockLog, recent: RecentIds): void {
  recent.clear();
  const blocks: Block[] = [];
  let wanted = RecentIds.WARM_UP;
  for (let key = log.keyBefore(log.end); key !== undefined && wanted > 0; key = log.keyBefore(key)) {
    const block = undamaged(log, key);
    if (block === undefined) continue;
    blocks.push(block);
    wanted -= block.count;
  }
  for (const block of blocks.reverse()) {
    for (let row = 0; row < block.count; row++) {
      if (!block.has(row) || !block.isIntact(row)) continue;
      recent.add(recordedReader(block.frame(row)).id(), { stream: block.stream(row), revision: block.revision(row), position: block.position(row) });
    }
  }
}

/** A damaged block is refused when it is read; the others are served. */
function undamaged(log: BlockLog, key: number): Block | undefined {
  try {
    return log.load(key);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
