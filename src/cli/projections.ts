import { InvalidArgumentError, Option, type Command } from 'commander';
import type { NewOperation, Operation, ViewStatus } from '../api/core.js';
import { readConfig } from '../platform/config/index.js';
import { findConnection } from './connection.js';
import { differences } from './differences.js';
import { exitCodes } from './exit-codes.js';
import { refused } from './failures.js';
import { operationBar } from './operation-bar.js';
import { listOperations, steer, watched } from './operation-call.js';
import { operationRows } from './operation-rows.js';
import { globalOptions, print, printJson } from './output.js';
import { parking } from './parking.js';
import { callRest } from './rest.js';
import { whole } from './progress.js';
import { table } from './table.js';
import { viewRows } from './view-rows.js';

/** `tarl projections`: how far the read models are, and the work on them. */
export function projections(program: Command): void {
  const group = program.command('projections')
    .description('Show every read model: its version, position, lag and rate.')
    .helpCommand(false)
    .addHelpText('after', '\nExample:\n  $ tarl projections');
  group.action(() => list(group));
  const rebuild = group.command('rebuild <view>')
    .description('Build a read model anew from the log, and switch to it; queries go on meanwhile. Ctrl-C only stops watching; the same command watches again.')
    .addOption(new Option('--on-difference <what>', 'when the rows differ from the live ones: switch to them, or stop and show how (stop, while the version is unchanged)').choices(['switch', 'stop']))
    .addHelpText('after', '\nExample:\n  $ tarl projections rebuild feature-online --on-difference switch');
  rebuild.action((view: string, { onDifference }: { onDifference?: string }) => rebuildView(view, onDifference?.toUpperCase() as NewOperation['onDifference'], rebuild));
  const compare = group.command('compare <view>')
    .description('Build a read model beside the live one, and show how their rows differ and since which event; nothing is switched. Exit code 1 when they do.')
    .addHelpText('after', '\nExample:\n  $ tarl projections compare feature-groups');
  compare.action((view: string) => compareView(view, compare));
  const rollback = group.command('rollback <view>')
    .description('Put the rows that the last rebuild has replaced back in their place, brought up to the present.')
    .addHelpText('after', '\nExample:\n  $ tarl projections rollback feature-online');
  rollback.action((view: string) => rollBackView(view, rollback));
  const slices = group.command('slices')
    .description('Split a read model by key into slices that are projected side by side; nothing is rebuilt.')
    .argument('<view>')
    .argument('<count>', 'from 1 to 64', wholeNumber)
    .addHelpText('after', '\nExample:\n  $ tarl projections slices feature-online 4');
  slices.action((view: string, count: number) => split(view, count, slices));
  steering(group);
  parking(group);
}

/** Whoever watches a rebuild need not be the one who stops it. */
function steering(group: Command): void {
  const wishes = {
    pause: 'Have the work on a read model stand still, to go on later from where it is.',
    resume: 'Have the work on a read model go on.',
    cancel: 'End the work on a read model; the live one stays as it is.',
  };
  for (const [wish, description] of Object.entries(wishes) as ['pause' | 'resume' | 'cancel', string][]) {
    const command = group.command(`${wish} <view>`).description(description).addHelpText('after', `\nExample:\n  $ tarl projections ${wish} feature-online`);
    command.action(async (view: string) => {
      const { json, profile } = globalOptions(command);
      const operation = await steer(await findConnection(readConfig(), profile), view, wish);
      if (json) await printJson(operation);
      else await print(table(operationRows([operation])));
    });
  }
  const operations = group.command('operations')
    .description('Show the newest rebuilds, comparisons and rollbacks: how far they are, what they found, and how they ended.')
    .addHelpText('after', '\nExample:\n  $ tarl projections operations');
  operations.action(async () => {
    const { json, profile } = globalOptions(operations);
    const found = await listOperations(await findConnection(readConfig(), profile));
    if (json) await printJson({ operations: found });
    else await print(found.length === 0 ? 'There were none.' : table(operationRows(found)));
  });
}

async function list(command: Command): Promise<void> {
  const { json, profile } = globalOptions(command);
  const answer = await callRest(await findConnection(readConfig(), profile), { method: 'GET', path: '/api/v1/projections' }, {});
  if (json) return printJson(answer);
  await print(table(viewRows(answer.projections as ViewStatus[])));
}

async function rebuildView(view: string, onDifference: NewOperation['onDifference'], command: Command): Promise<void> {
  const started = Date.now();
  const { metadata: { progress, comparison }, error } = await watch({ kind: 'rebuild', view, onDifference }, command);
  if (error) {
    if (comparison && !globalOptions(command).json) await print(differences(comparison));
    throw refused(error);
  }
  const seconds = (Date.now() - started) / 1000;
  const events = progress?.events ?? 0;
  if (globalOptions(command).json) return printJson({ view, events, seconds, comparison });
  if (comparison && !comparison.same) await print(differences(comparison));
  await print(`${view} is rebuilt from ${whole.format(events)} events in ${seconds.toFixed(1)} s.`);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return Number(text);
}

async function split(view: string, count: number, command: Command): Promise<void> {
  const { json, profile } = globalOptions(command);
  const answer = await callRest(await findConnection(readConfig(), profile), { method: 'POST', path: '/api/v1/projections/{view}:split' }, { view, slices: count });
  if (json) return printJson(answer);
  const { slices } = answer as unknown as ViewStatus;
  await print(`${view} has ${slices.length === 1 ? '1 slice' : `${slices.length} slices`}, from position ${slices[0]!.position}.`);
}

async function compareView(view: string, command: Command): Promise<void> {
  const { metadata: { comparison }, error } = await watch({ kind: 'comparison', view }, command);
  if (error || !comparison) throw refused(error ?? { code: 'INTERNAL', message: `Nothing is known of how ${view} compares` });
  if (!comparison.same) process.exitCode = exitCodes.failure;
  if (globalOptions(command).json) return printJson(comparison);
  await print(comparison.same ? `${view} is what the log gives, at position ${comparison.position}.` : differences(comparison));
}

async function rollBackView(view: string, command: Command): Promise<void> {
  const { metadata: { progress }, error } = await watch({ kind: 'rollback', view }, command);
  if (error) throw refused(error);
  if (globalOptions(command).json) return printJson({ view, events: progress?.events ?? 0 });
  await print(`${view} answers from its former rows again, with ${whole.format(progress?.events ?? 0)} later events.`);
}

/** Follows an operation to its end. */
async function watch(work: Omit<NewOperation, 'actor'>, command: Command): Promise<Operation> {
  const bar = operationBar(work);
  let last: Operation;
  try {
    for await (last of watched(await findConnection(readConfig(), globalOptions(command).profile), work)) bar.update(last);
  } finally {
    bar.stop();
  }
  return last!;
}
