import { expect, test } from '@jest/globals';
import { BACKWARDS, END, EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { startEventStore, type RunningEventStore } from '../../../../src/platform/eventstore/embedded/index.js';
import { temporaryFolder } from './filled.js';
import { ModelStore, type ModelEvent } from './model.js';

const EXPECTED = { any: 'any', none: 'no_stream', exists: 'stream_exists' } as const;

const stream = fc.constantFrom('a-1', 'a-2', 'b');
const expected = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('any' as const, 'none' as const, 'exists' as const) }, { weight: 2, arbitrary: fc.nat(12) });
const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('append' as const), stream, expected, count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), stream }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), stream }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('readLog' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), stream, expected: fc.constantFrom('any' as const, 'none' as const, 0, 3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('metadata' as const), stream, maxCount: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }), truncateBefore: fc.option(fc.nat(8), { nil: undefined }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tombstone' as const), stream }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

test('whatever is asked in whatever order, by two clients and over restarts, the answers are those of a simple model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 60 }), async (operations) => {
      const folder = await temporaryFolder();
      const bench = new Bench(folder.path);
      try {
        await bench.start();
        for (const [i, each] of operations.entries()) await bench.compare(each, i);
      } finally {
        await bench.stop();
        await folder.remove();
      }
    }),
    { numRuns: 40 },
  );
});

/** A node, two clients of it, and the model of what they should be told. */
class Bench {
  private readonly model = new ModelStore();
  private readonly lastAppends = new Map<string, { ids: string[]; expected: 'any' | 'none' | 'exists' | number; next: number }>();
  private node!: RunningEventStore;
  private clients: EventStoreDBClient[] = [];

  constructor(private readonly dir: string) {}

  async start(): Promise<void> {
    this.node = await startEventStore({ dir: this.dir });
    this.clients = [0, 1].map(() => EventStoreDBClient.connectionString(this.node.connectionString));
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.dispose()));
    await this.node.close();
  }

  async compare(operation: Operation, turn: number): Promise<void> {
    const client = this.clients[turn % 2]!;
    switch (operation.do) {
      case 'append': {
        const ids = Array.from({ length: operation.count }, () => randomUUID());
        const told = this.model.append(operation.stream, operation.expected, ids);
        expect(await this.append(client, operation.stream, operation.expected, ids)).toEqual(told);
        if (typeof told === 'object') this.lastAppends.set(operation.stream, { ids, expected: operation.expected, next: told.next });
        return;
      }
      case 'repeat': {
        const last = this.lastAppends.get(operation.stream);
        if (last === undefined || last.expected === 'exists' || !this.model.isLast(operation.stream, last.ids)) return;
        expect(await this.append(client, operation.stream, last.expected === 'none' ? 'any' : last.expected, last.ids)).toEqual({ next: last.next });
        return;
      }
      case 'read': {
        const told = this.model.read(operation.stream);
        expect(await readForwards(client, operation.stream)).toEqual(told);
        expect(await readBackwards(client, operation.stream)).toEqual(typeof told === 'string' ? told : [...told].reverse());
        return;
      }
      case 'readLog':
        expect(await readLog(client)).toEqual(this.model.log);
        return;
      case 'delete':
        expect(await outcome(client.deleteStream(operation.stream, { expectedRevision: revision(operation.expected) as never }))).toBe(this.model.delete(operation.stream, operation.expected));
        return;
      case 'tombstone':
        expect(await outcome(client.tombstoneStream(operation.stream))).toBe(this.model.tombstone(operation.stream));
        return;
      case 'metadata': {
        const { maxCount, truncateBefore } = operation;
        const answer = client.setStreamMetadata(operation.stream, { ...(maxCount !== undefined && { maxCount }), ...(truncateBefore !== undefined && { truncateBefore }) });
        expect(await outcome(answer)).toBe(this.model.setMetadata(operation.stream, { maxCount, truncateBefore }));
        return;
      }
      case 'restart':
        await this.stop();
        await this.start();
    }
  }

  private async append(client: EventStoreDBClient, name: string, expectation: keyof typeof EXPECTED | number, ids: readonly string[]): Promise<unknown> {
    try {
      const { nextExpectedRevision } = await client.appendToStream(
        name,
        ids.map((id) => jsonEvent({ id, type: 'Modelled', data: { id } })),
        { expectedRevision: revision(expectation) as never },
      );
      return { next: Number(nextExpectedRevision) };
    } catch (error) {
      return (error as { type: string }).type;
    }
  }
}

const revision = (expectation: keyof typeof EXPECTED | number) => (typeof expectation === 'number' ? BigInt(expectation) : EXPECTED[expectation]);

async function outcome(doing: Promise<unknown>): Promise<string> {
  try {
    await doing;
    return 'done';
  } catch (error) {
    return (error as { type: string }).type;
  }
}

const readForwards = (client: EventStoreDBClient, name: string) => collect(() => client.readStream(name));
const readBackwards = (client: EventStoreDBClient, name: string) => collect(() => client.readStream(name, { direction: BACKWARDS, fromRevision: END }));

async function collect(read: () => ReturnType<EventStoreDBClient['readStream']>): Promise<ModelEvent[] | string> {
  const out: ModelEvent[] = [];
  try {
    for await (const { event } of read()) out.push({ id: event!.id, revision: Number(event!.revision) });
    return out;
  } catch (error) {
    return (error as { type: string }).type;
  }
}

async function readLog(client: EventStoreDBClient): Promise<string[]> {
  const ids: string[] = [];
  for await (const { event } of client.readAll()) if (!event!.type.startsWith('$')) ids.push(event!.id);
  return ids;
}
