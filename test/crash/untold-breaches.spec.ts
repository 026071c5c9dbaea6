import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { tellUntoldBreaches } from '../../src/commands/jobs/tell-untold-breaches.js';
import { Aggregates } from '../../src/commands/kit/aggregates.js';
import type { InnerCommand } from '../../src/commands/kit/command.js';
import { CommandExecutor } from '../../src/commands/kit/execute.js';
import { RememberingCommandLog } from '../../src/commands/kit/idempotency.js';
import { projectCommands } from '../../src/commands/projects.js';
import { Refusal } from '../../src/domain/kit/index.js';
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
  await command('CreateProject', { project: 'p', description: '' });
});
afterAll(() => world.close());

const command = (name: string, input: object) => executor.execute(projectCommands.find((one) => one.name === name) as unknown as InnerCommand, input, { caller });

const seen = async () => engine.waitFor([untoldBreachesView.name, expectationBreachesView.name], await world.eventStore.endOfLog());
const untold = async () => (await world.database.pool.query('select breach from untold_breaches')).rows.map(({ breach }) => breach as string);

/** Runs the job so many milliseconds from now. */
async function runIn(ms: number, before: (input: unknown) => void = () => undefined): Promise<void> {
  const issue = async (command: { readonly name: string }, input: unknown) => {
    before(input);
    return executor.execute(command as InnerCommand, input, { caller });
  };
  await tellUntoldBreaches({ pool: world.database.pool, now: () => Date.now() + ms }).run({}, { id: 'j', attempt: 1, due: new Date(0), signal: new AbortController().signal, issue });
  await seen();
}

/** A write whose process died before it told what its rows broke, found by the view; gives the breach's name. */
async function leftUntold(project: string): Promise<string> {
  const breach = `${randomUUID()}.few_nulls`;
  const found = { project, group: 'g', breach, mode: 'REPORT', commandId: breach.slice(0, 36), window: null, finding: { expectation: 'few_nulls', kind: 'NULL_RATE', feature: 'x', observed: 0.5, limit: 0.1, rows: 20, broken: 10, holds: false, reason: 'Half of the rows are null' } };
  await world.eventStore.append(`features-${project}.g.0`, [{ id: randomUUID(), type: 'FeatureRowsWritten', data: {}, metadata: { version: 1, breaches: [found] } }], { expected: 'any' });
  await seen();
  return breach;
}

test('a breach is told although its project has ended meanwhile', async () => {
  await command('CreateProject', { project: 'ended', description: '' });
  const breach = await leftUntold('ended');
  await command('ArchiveProject', { project: 'ended', reason: 'Over' });
  await runIn(60_000);
  expect(await untold()).toEqual([]);
  expect((await world.database.pool.query('select project from expectation_breaches where breach = $1', [breach])).rows).toEqual([{ project: 'ended' }]);
});

test('a breach that cannot be told keeps no other waiting, and the job says so', async () => {
  const refused = await leftUntold('p');
  const told = await leftUntold('p');
  const refuse = (input: unknown) => {
    if ((input as { breach: string }).breach === refused) throw new Refusal('INVALID_ARGUMENT', 'It is not understood');
  };
  await expect(runIn(60_000, refuse)).rejects.toThrow('1 broken expectations cannot be told; the first: It is not understood');
  await seen();
  expect(await untold()).toEqual([refused]);
  await runIn(60_000);
  expect((await untold()).includes(told)).toBe(false);
});

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
  expect((await world.database.pool.query('select breach, command_id || \'.few_nulls\' as named from expectation_breaches where breach = $1', [breach])).rows).toEqual([{ breach, named: breach }]);

  await engine.rebuild(untoldBreachesView.name, () => undefined);
  expect(await untold()).toEqual([]);
});
