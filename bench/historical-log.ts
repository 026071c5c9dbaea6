import { randomUUID } from 'node:crypto';
import { encodeChunk, featureRowsWritten } from '../src/domain/features/chunk.js';
import { encodeKey, partitionOf } from '../src/domain/features/keys.js';
import { featureGroupStream, featureRowsStream } from '../src/domain/features/streams.js';
import type { EventStore } from '../src/platform/eventstore/port.js';

/** Flights, column by column. */
export interface FlightColumns {
  readonly airport: readonly string[];
  readonly timeUs: readonly number[];
  readonly delay: readonly number[];
  readonly distance: readonly number[];
}

const project = 'bench';
const group = 'airports';
const partitions = 4;
const rowsOfChunk = 8000;

/** Writes the flights as the history of the group `bench.airports`, in chunks like those of StreamWrite. */
export async function writeHistory(eventStore: EventStore, flights: FlightColumns): Promise<void> {
  const declared = {
    project, group, version: 1, entities: [{ name: 'airport', type: 'STRING' }], ttlSeconds: 0, partitions, owner: '', description: '', tags: {},
    features: ['delay', 'distance'].map((name) => ({ name, type: 'INT64', description: '', constraints: {} })),
  };
  await eventStore.append(featureGroupStream(project, group), [{ id: randomUUID(), type: 'FeatureGroupCreated', data: declared, metadata: { version: 1 } }], { expected: 'none' });
  const waiting = Array.from({ length: partitions }, (): number[] => []);
  const partitionOfAirport = new Map<string, number>();
  const pending = new Set<Promise<unknown>>();
  const write = async (partition: number) => {
    const rows = waiting[partition]!.splice(0);
    const appended = eventStore.append(featureRowsStream(project, group, partition), [eventOf(flights, rows, partition)], { expected: 'any' }).finally(() => pending.delete(appended));
    pending.add(appended);
    if (pending.size >= 4) await Promise.race(pending);
  };
  for (let row = 0; row < flights.airport.length; row++) {
    const airport = flights.airport[row]!;
    let partition = partitionOfAirport.get(airport);
    if (partition === undefined) partitionOfAirport.set(airport, (partition = partitionOf(encodeKey([airport]), partitions)));
    if (waiting[partition]!.push(row) === rowsOfChunk) await write(partition);
  }
  for (let partition = 0; partition < partitions; partition++) if (waiting[partition]!.length > 0) await write(partition);
  await Promise.all(pending);
}

function eventOf({ airport, timeUs, delay, distance }: FlightColumns, rows: readonly number[], partition: number) {
  const airports = [...new Set(rows.map((row) => airport[row]!))];
  const places = new Map(airports.map((name, at) => [name, at]));
  const pick = <Value>(column: readonly Value[]) => rows.map((row) => column[row]!);
  const data = encodeChunk(
    { project, group, version: 1, partition, mode: 'BOTH' },
    {
      rows: rows.length,
      keys: airports.map((name) => encodeKey([name])),
      key: rows.map((row) => places.get(airport[row]!)!),
      timeUs: pick(timeUs),
      columns: new Map([['delay', pick(delay)], ['distance', pick(distance)]]),
    },
  );
  return { id: randomUUID(), type: featureRowsWritten.type, data, metadata: { version: 1 } };
}
