import { randomUUID } from 'node:crypto';
import { featureRowsWritten } from '../../../../src/domain/features/chunk.js';
import { featureEntityDeleted } from '../../../../src/domain/features/deletion.js';
import { encodeKey, partitionOf } from '../../../../src/domain/features/keys.js';
import type { FeatureGroupDefinition } from '../../../../src/domain/features/state.js';
import { featureGroupStream, featureRowsStream, transformationStream } from '../../../../src/domain/features/streams.js';
import type { EntityType, EntityValue, FeatureType } from '../../../../src/domain/features/values.js';
import type { EventStore, NewEvent, Position } from '../../../../src/platform/eventstore/port.js';
import { chunkOf, type Fact, type Row } from './written.js';

/** A group as a test declares it. */
export interface Declared {
  readonly project: string;
  readonly group: string;
  readonly keys: Readonly<Record<string, EntityType>>;
  readonly features: Readonly<Record<string, FeatureType>>;
  readonly ttlSeconds?: number;
  readonly partitions?: number;
  readonly version?: number;
}

export function definitionOf({ project, group, keys, features, ttlSeconds = 0, partitions = 3, version = 1 }: Declared): FeatureGroupDefinition {
  return {
    project, group, version, ttlSeconds, partitions, owner: '', description: '', tags: {},
    entities: Object.entries(keys).map(([name, type]) => ({ name, type })),
    features: Object.entries(features).map(([name, type]) => ({ name, type, description: '', constraints: {} })),
  };
}

/** Declares the group in the log. */
export async function declare(eventStore: EventStore, declared: Declared): Promise<void> {
  await append(eventStore, featureGroupStream(declared.project, declared.group), 'FeatureGroupCreated', definitionOf(declared));
}

/** Declares the group's next version. */
export async function stage(eventStore: EventStore, declared: Declared): Promise<void> {
  const { project, group, version, features } = definitionOf(declared);
  await append(eventStore, featureGroupStream(project, group), 'FeatureGroupVersionStaged', { project, group, version, features });
}

/** Declares the transformation `windows`: of the rows of the last seconds how many there are, and the sum of their `n`. */
export async function declareWindows(eventStore: EventStore, { project, group }: Declared, durationSeconds: number): Promise<void> {
  const outputs = [{ name: 'rows', type: 'INT64', window: { aggregate: 'COUNT', durationSeconds } }, { name: 'sum', type: 'INT64', window: { aggregate: 'SUM', input: 'n', durationSeconds } }];
  await append(eventStore, transformationStream(project, 'windows'), 'TransformationRegistered', { project, transformation: 'windows', version: 1, inputs: [{ name: 'n', feature: `${group}:n`, type: 'INT64' }], outputs, owner: '', description: '', tags: {} });
}

/** Writes rows as one request does: a chunk for each partition. Answers with the position of the last. */
export async function write(eventStore: EventStore, declared: Declared, rows: readonly Row[], mode: 'ONLINE' | 'OFFLINE' | 'BOTH' = 'BOTH'): Promise<Position> {
  const { project, group, version, partitions } = definitionOf(declared);
  let last: Position | undefined;
  for (const [partition, part] of Map.groupBy(rows, ({ key }) => partitionOf(encodeKey(key), partitions))) {
    last = await append(eventStore, featureRowsStream(project, group, partition), featureRowsWritten.type, chunkOf(part, mode, { project, group, version, partition }));
  }
  return last!;
}

/** Deletes entities, one event each. Answers with the position of the last. */
export async function remove(eventStore: EventStore, declared: Declared, keys: readonly (readonly EntityValue[])[]): Promise<Position> {
  const { project, group, version, partitions } = definitionOf(declared);
  let last: Position | undefined;
  for (const key of keys.map(encodeKey)) {
    const partition = partitionOf(key, partitions);
    last = await append(eventStore, featureRowsStream(project, group, partition), featureEntityDeleted.type, { project, group, version, partition, key });
  }
  return last!;
}

/** Writes what a test says happened. */
export const record = (eventStore: EventStore, declared: Declared, fact: Fact): Promise<Position> =>
  'deleted' in fact ? remove(eventStore, declared, fact.deleted) : write(eventStore, declared, fact.rows, fact.mode);

async function append(eventStore: EventStore, stream: string, type: string, data: unknown): Promise<Position> {
  const event: NewEvent = { id: randomUUID(), type, data, metadata: { version: 1 } };
  return (await eventStore.append(stream, [event], { expected: 'any' })).position;
}
