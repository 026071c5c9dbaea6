import { partitionOf } from '../../../domain/features/keys.js';
import type { Partition } from './replay.js';
import type { PlannedJoin } from './selection.js';
import type { Moments } from './slots.js';

/** Who wants something of a group's history. */
interface Reader {
  readonly planned: PlannedJoin;
  readonly moments: Moments;
}

/** Which partitions hold wanted entities, and who wants each: a partition is read once, however many joins want it. */
export function reading<Wanting extends Reader>(readers: readonly Wanting[]): { partitions: Partition[]; readersOf: (partition: Partition) => readonly Wanting[] } {
  const wanted = new Map<string, { partition: Partition; readers: Wanting[] }>();
  for (const reader of readers) {
    const { project, group } = reader.planned.definition;
    for (const partition of partitionsOf(reader)) {
      const name = `${project}.${group}.${partition}`;
      const entry = wanted.get(name) ?? { partition: { project, group, partition }, readers: [] };
      entry.readers.push(reader);
      wanted.set(name, entry);
    }
  }
  const byPartition = new Map([...wanted.values()].map(({ partition, readers: own }) => [partition, own]));
  return { partitions: [...byPartition.keys()], readersOf: (partition) => byPartition.get(partition)! };
}

function partitionsOf({ planned: { definition }, moments }: Reader): Set<number> {
  const partitions = new Set<number>();
  for (const key of moments.keys) {
    if (partitions.size === definition.partitions) break;
    partitions.add(partitionOf(key, definition.partitions));
  }
  return partitions;
}
