import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordMetrics, type Measured } from '../../src/commands/jobs/record-metrics.js';
import { JobKeeper } from '../../src/commands/jobs/keeper.js';
import { Aggregates } from '../../src/commands/kit/aggregates.js';
import { CommandExecutor } from '../../src/commands/kit/execute.js';
import { RememberingCommandLog } from '../../src/commands/kit/idempotency.js';
import type { InnerCommand } from '../../src/commands/kit/command.js';
import { Jobs, openJobBackend } from '../../src/platform/jobs/index.js';
import { engineWorld, type EngineWorld } from '../projections/engine/world.js';
import { until } from '../support/until.js';

let world: EngineWorld;
beforeAll(async () => void (world = await engineWorld([])));
afterAll(() => world.close());

/** A worker that finds the end of the log at its own name. */
function worker(name: string, cron: string) {
  const { eventStore, database } = world;
  const aggregates = new Aggregates(eventStore);
  const executor = new CommandExecutor(eventStore, aggregates, new RememberingCommandLog({ find: async () => undefined }));
  const job = recordMetrics({ cron, measure: async (): Promise<Measured> => ({ endOfLog: name, views: [], jobs: [] }) });
  const issue = (command: { readonly name: string }, input: unknown) => executor.execute(command as InnerCommand, input, { caller: { actor: name, may: () => true } });
  const keeper = new JobKeeper({
    eventStore,
    pool: database.pool,
    aggregates,
    definitions: [job],
    execute: (...given) => executor.execute(...given),
    waitForView: async () => undefined,
    open: async (parts) => new Jobs({ ...parts, backend: await openJobBackend({ postgresUrl: database.url, onError: () => undefined }) }),
    log: { info: () => undefined, warn: () => undefined },
  });
  return { keeper, measureAt: (due: Date) => job.run({}, { id: name, attempt: 1, due, signal: new AbortController().signal, issue }) };
}

async function recorded(): Promise<{ tick: string; endOfLog: string }[]> {
  const found = [];
  for await (const { type, data } of world.eventStore.readLog()) if (type === 'MetricsCheckpointRecorded') found.push(data as { tick: string; endOfLog: string });
  return found;
}

test('two workers that measure the same moment at once put one checkpoint on record', async () => {
  const due = new Date('2026-01-01T14:00:00Z');
  const [one, other] = [worker('one', '0 * * * *'), worker('other', '0 * * * *')];
  await Promise.all([one.measureAt(due), other.measureAt(due)]);
  await one.measureAt(due);
  expect(await recorded()).toEqual([expect.objectContaining({ tick: '2026-01-01T14:00:00.000Z' })]);
});

test('the schedule measures each of its moments once, whichever of several workers takes it', async () => {
  const before = (await recorded()).length;
  const workers = [worker('one', '* * * * * *'), worker('other', '* * * * * *')];
  for (const { keeper } of workers) keeper.start();
  await until('three moments have passed', async () => (await recorded()).length >= before + 3);
  await Promise.all(workers.map(({ keeper }) => keeper.stop()));
  const ticks = (await recorded()).slice(before).map(({ tick }) => tick);
  expect(new Set(ticks).size).toBe(ticks.length);
  expect(ticks.every((tick) => tick.endsWith('.000Z'))).toBe(true);
});
