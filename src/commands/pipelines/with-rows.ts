import type { RowBlock } from '../../domain/features/chunk.js';
import type { FeatureGroupDefinition } from '../../domain/features/state.js';
import type { HistoryEvent } from '../../projections/features/history/events.js';
import type { Replay } from '../../projections/features/history/replay.js';
import { split } from '../features/split.js';

/** The log as if rows of a group had been written at its end: what is read ends with them, and the log itself stays as it is. */
export function withRows(replay: Pick<Replay, 'run'>, { project, group, version, partitions: count }: FeatureGroupDefinition, block: RowBlock, rows: readonly number[]): Pick<Replay, 'run'> {
  const pieces = split(block, rows, count);
  return {
    async run(partitions, until, take, signal) {
      await replay.run(partitions, until, take, signal);
      for (const of of partitions) {
        if (of.project !== project || of.group !== group) continue;
        for (const { partition, block: own } of pieces) {
          const event: HistoryEvent = { revision: -1n, position: until, recordedAtUs: Date.now() * 1000, block: { project, group, version, partition, mode: 'BOTH', ...own } };
          if (partition === of.partition) take(event, of);
        }
      }
    },
  };
}
