import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { tellUntoldBreaches } from '../../src/commands/jobs/tell-untold-breaches.js';
import { Aggregates } from '../../src/commands/kit/aggregates.js';
import type { InnerCommand } from '../../src/commands/kit/command.js';
import { CommandExecutor } from '../../src/commands/kit/execute.js';
import { RememberingCommandLog } from '../../src/commands/kit/idempotency.js';
import { projectCommands } from '../../src/commands/projects.js';
import { expectation } from '../../src/domain/features/monitoring/expectations.js';
import { expectationBreachStream, featureMonitoringStream } from '../../src/domain/features/streams.js';
import type { ProjectionEngine } from '../../src/projections/engine/index.js';
import { expectationBreachesView } from '../../src/projections/features/monitoring/breaches-view.js';
import { untoldBreachesView } from '../../src/projections/features/monitoring/untold-breaches-view.js';
import { engineWorld, type EngineWorld } from '../projections/engine/world.js';
import { declare } from '../projections/features/history/group.js';

const caller = { actor: 'job', may: () => true };
const dyingWriter = fileURLToPath(new URL('../support/dying-writer.mjs', import.meta.url));
let world: EngineWorld;
let engine: ProjectionEngine;
let executor: CommandExecutor;
beforeAll(async () => {
  world = await engineWorld([]);
  engine = world.engine([untoldBreachesView, expectationBreachesView]);
  await engine.start();
  executor = new CommandExecutor(world.eventStore, new Aggregates(world.eventStore), new RememberingCommandLog({ find: async () => undefined }));
  await executor.execute(projectCommands[0] as unknown as InnerCommand, { project: 'p', description: '' }, { caller });
});
afterAll(() => world.close());

const seen = async () => engine.waitFor([untoldBreachesView.name, expectationBreachesView.name], await world.eventStore.endOfLog());
const untold = async () => (await world.database.pool.query('select breach from untold_breaches')).rows.map(({ breach }) => breach as string);

/** Runs the job so many milliseconds from now. */
async function runIn(ms: number): Promise<void> {
  const issue = (command: { readonly name: string }, input: unknown) => executor.execute(command as InnerCommand, input, { caller });
  await tellUntoldBreaches({ pool: world.database.pool, now: () => Date.now() + ms }).run({}, { id: 'j', attempt: 1, due: new Date(0), signal: new AbortController().signal, issue });
  await seen();
}

test('a breach is told, once, although the process that found it was killed between its rows and the telling, and nobody repeats the write', async () => {
  await declare(world.eventStore, { project: 'p', group: 'g', keys: { id: 'INT64' }, features: { x: 'DOUBLE' } });
  await world.append(featureMonitoringStream('p', 'g'), ['FeatureExpectationsSet', { project: 'p', group: 'g', expectations: [expectation.parse({ name: 'few_nulls', kind: 'NULL_RATE', feature: 'x', max: 0.1 })] }]);
  const [, signal] = await once(spawn(process.execPath, [dyingWriter, world.eventStoreUrl], { stdio: 'inherit' }), 'exit');
  expect(signal).toBe('SIGKILL');
  await seen();
  const [breach, ...others] = await untold();
  expect([breach, others]).toEqual([expect.stringMatching(/\.few_nulls$/), []]);

  await runIn(0);
  expect(await untold()).toEqual([breach]);
  await runIn(60_000);
  await runIn(60_000);
  expect(await untold()).toEqual([]);
  const told = [];
  for await (const { type, data } of world.eventStore.readStream(expectationBreachStream('p', 'g', breach!))) told.push([type, (data as any).finding.observed]);
  expect(told).toEqual([['FeatureExpectationBreached', 0.5]]);
  expect((await world.database.pool.query('select breach, command_id || \'.few_nulls\' as named from expectation_breaches')).rows).toEqual([{ breach, named: breach }]);

  await engine.rebuild(untoldBreachesView.name, () => undefined);
  expect(await untold()).toEqual([]);
});
