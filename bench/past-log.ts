import { randomUUID } from 'node:crypto';
import { encodeChunk, featureRowsWritten } from '../src/domain/features/chunk.js';
import { encodeKey, partitionOf } from '../src/domain/features/keys.js';
import { featureGroupStream, featureRowsStream } from '../src/domain/features/streams.js';
import type { EventStore } from '../src/platform/eventstore/port.js';

/** A group of the bench: its key, and how many entities take turns in its rows. */
export interface PastGroup {
  readonly group: string;
  readonly key: string;
  readonly entities: number;
}

export const project = 'bench';
export const groups: readonly [PastGroup, PastGroup] = [{ group: 'cards', key: 'card', entities: 10_000 }, { group: 'shops', key: 'shop', entities: 1_000 }];

/** The nth row of every group: the same formulas stand in DuckDB's SQL. */
export const baseUs = Date.UTC(2020, 0) * 1000;
export const stepUs = 1_000_000;
export const entityOf = (n: number, { entities }: PastGroup): string => `e${(n * 7919) % entities}`;
export const sqlOf = ({ key, entities }: PastGroup, rows: number): string =>
  `select 'e' || (i * 7919) % ${entities} as ${key}, ${baseUs} + i * ${stepUs} as t, i % 1000 as amount, (i % 77) / 7.0 as share from range(${rows}) as r(i)`;

const partitions = 4;
const rowsOfChunk = 8000;

/** Writes `rows` rows of a group straight through the port, as chunks like those of StreamWrite. */
export async function writePast(eventStore: EventStore, of: PastGroup, rows: number): Promise<void> {
  const { group, key, entities } = of;
  const declared = {
    project, group, version: 1, entities: [{ name: key, type: 'STRING' }], ttlSeconds: 0, partitions, owner: '', description: '', tags: {},
    features: [{ name: 'amount', type: 'INT64', description: '', constraints: {} }, { name: 'share', type: 'DOUBLE', description: '', constraints: {} }],
  };
  await eventStore.append(featureGroupStream(project, group), [{ id: randomUUID(), type: 'FeatureGroupCreated', data: declared, metadata: { version: 1 } }], { expected: 'none' });
  const partitionOfEntity = Uint8Array.from({ length: entities }, (_, n) => partitionOf(encodeKey([`e${n}`]), partitions));
  const waiting = Array.from({ length: partitions }, (): number[] => []);
  const pending = new Set<Promise<unknown>>();
  const write = async (partition: number) => {
    const event = eventOf(of, waiting[partition]!.splice(0), partition);
    const appended = eventStore.append(featureRowsStream(project, group, partition), [event], { expected: 'any' }).finally(() => pending.delete(appended));
    pending.add(appended);
    if (pending.size >= 4) await Promise.race(pending);
  };
  for (let n = 0; n < rows; n++) {
    const partition = partitionOfEntity[(n * 7919) % entities]!;
    if (waiting[partition]!.push(n) === rowsOfChunk) await write(partition);
  }
  for (let partition = 0; partition < partitions; partition++) if (waiting[partition]!.length > 0) await write(partition);
  await Promise.all(pending);
}

function eventOf(of: PastGroup, rows: readonly number[], partition: number) {
  const names = [...new Set(rows.map((n) => entityOf(n, of)))];
  const places = new Map(names.map((name, at) => [name, at]));
  const data = encodeChunk(
    { project, group: of.group, version: 1, partition, mode: 'BOTH' },
    {
      rows: rows.length,
      keys: names.map((name) => encodeKey([name])),
      key: rows.map((n) => places.get(entityOf(n, of))!),
      timeUs: rows.map((n) => baseUs + n * stepUs),
      columns: new Map([['amount', rows.map((n) => n % 1000)], ['share', rows.map((n) => (n % 77) / 7)]]),
    },
  );
  return { id: randomUUID(), type: featureRowsWritten.type, data, metadata: { version: 1 } };
}

/** The rows asked for: pairs of entities at moments between two rows of history. */
export const asked = {
  card: (n: number): string => `e${(n * 104_729) % groups[0].entities}`,
  shop: (n: number): string => `e${(n * 15_485) % groups[1].entities}`,
  timeUs: (n: number, history: number): number => baseUs + ((n * 7907) % history) * stepUs + stepUs / 2,
  sql: (rows: number, history: number): string =>
    `select 'e' || (i * 104729) % ${groups[0].entities} as card, 'e' || (i * 15485) % ${groups[1].entities} as shop, ${baseUs} + ((i * 7907) % ${history}) * ${stepUs} + ${stepUs / 2} as t from range(${rows}) as r(i)`,
};
