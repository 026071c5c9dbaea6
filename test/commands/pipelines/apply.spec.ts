import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { FeatureGroups } from '../../../src/commands/features/groups.js';
import { RowLog } from '../../../src/commands/features/row-log.js';
import { FeatureWriter } from '../../../src/commands/features/write.js';
import { Aggregates } from '../../../src/commands/kit/aggregates.js';
import { RememberingCommandLog } from '../../../src/commands/kit/idempotency.js';
import { applyPipeline } from '../../../src/commands/pipelines/apply.js';
import { pipelineStream } from '../../../src/domain/features/streams.js';
import { connect } from '../../../src/platform/eventstore/index.js';
import type { EventStore } from '../../../src/platform/eventstore/port.js';
import { declare, write, type Declared } from '../../projections/features/history/group.js';
import { decodeChunk } from '../../../src/domain/features/chunk.js';
import { testEventStore, type TestEventStore } from '../../support/eventstore.js';

let server: TestEventStore;
let eventStore: EventStore;
beforeAll(async () => {
  server = await testEventStore();
  eventStore = connect(server.url);
});
afterAll(async () => {
  await eventStore.close();
  await server.close();
});

const source: Declared = { project: 'p', group: 'source', keys: { id: 'INT64' }, features: { n: 'INT64' }, partitions: 4 };
const target: Declared = { project: 'p', group: 'target', keys: { id: 'INT64' }, features: { copy: 'INT64' }, partitions: 3 };

/** How often each row stands in the target's streams. */
async function timesWritten(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let partition = 0; partition < 3; partition++) {
    for await (const { data } of eventStore.readStream(`features-p.target.${partition}`)) {
      const { rows, keys, key, timeUs } = decodeChunk(data);
      for (let row = 0; row < rows; row++) counts.set(`${keys[key[row]!]} ${timeUs[row]}`, (counts.get(`${keys[key[row]!]} ${timeUs[row]}`) ?? 0) + 1);
    }
  }
  return counts;
}

class Killed extends Error {}

test('a run that was killed between any two steps goes on, and in the end every row stands in the target once', async () => {
  await declare(eventStore, source);
  await declare(eventStore, target);
  await eventStore.append(pipelineStream('p', 'copy'), [{ id: randomUUID(), type: 'PipelineCreated', data: { project: 'p', pipeline: 'copy', version: 1, source: 'source', steps: [{ feature: 'copy', from: 'source:n' }], target: 'target', owner: '', description: '', tags: {} }, metadata: { version: 1 } }], { expected: 'any' });
  await write(eventStore, source, Array.from({ length: 400 }, (_, n) => ({ key: [n % 50], timeUs: 1_000_000 + n, values: { n } })));

  const aggregates = new Aggregates(eventStore);
  const log = new RememberingCommandLog({ find: async () => undefined });
  const writer = new FeatureWriter(new FeatureGroups(aggregates, async () => undefined), new RowLog(eventStore), log, { keep: async () => undefined } as never);
  const issued: string[] = [];
  let wrote = 0;
  for (let killAfter = 1; ; killAfter++) {
    let left = killAfter;
    const step = () => {
      if (left-- === 0) throw new Killed();
    };
    const killing = { write: async (...call: Parameters<FeatureWriter['write']>) => (step(), writer.write(...call).then((reply) => ((wrote += reply.rowsWritten), reply))) };
    const run = { id: 'j', attempt: killAfter, due: new Date(0), signal: new AbortController().signal, issue: async ({ name }: { name: string }) => (step(), void issued.push(name)) };
    try {
      await applyPipeline({ eventStore, aggregates, writer: killing }, { project: 'p', pipeline: 'copy', run: 'r' }, run);
      break;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
  }
  expect(issued.filter((name) => name === 'StartPipelineRun').length).toBeGreaterThan(3);
  expect(issued.at(-1)).toBe('FinishPipelineRun');
  expect(wrote).toBe(400);
  const counts = await timesWritten();
  expect(counts.size).toBe(400);
  expect([...counts.values()].every((count) => count === 1)).toBe(true);
});
