import { InvalidArgumentError, type Command } from 'commander';
import type { RebuildProgress, ViewComparison, ViewStatus } from '../api/core.js';
import { readConfig } from '../platform/config/index.js';
import { findConnection } from './connection.js';
import { exitCodes } from './exit-codes.js';
import { globalOptions, print, printJson } from './output.js';
import { parking } from './parking.js';
import { rebuildBar } from './rebuild-bar.js';
import { rebuildOver } from './rebuild-call.js';
import { callRest } from './rest.js';
import { whole } from './progress.js';
import { table } from './table.js';
import { viewRows } from './view-rows.js';

/** `tarl projections`: how far the read models are, and their rebuild. */
export function projections(program: Command): void {
  const group = program.command('projections')
    .description('Show every read model: its version, position, lag and rate.')
    .helpCommand(false)
    .addHelpText('after', '\nExample:\n  $ tarl projections');
  group.action(() => list(group));
  const rebuild = group.command('rebuild <view>')
    .description('Build a read model anew from the log, and switch to it; queries go on meanwhile. Ctrl-C only stops watching; the same command watches again.')
    .addHelpText('after', '\nExample:\n  $ tarl projections rebuild feature-online');
  rebuild.action((view: string) => rebuildView(view, rebuild));
  const slices = group.command('slices')
    .description('Split a read model by key into slices that are projected side by side; nothing is rebuilt.')
    .argument('<view>')
    .argument('<count>', 'from 1 to 64', wholeNumber)
    .addHelpText('after', '\nExample:\n  $ tarl projections slices feature-online 4');
  slices.action((view: string, count: number) => split(view, count, slices));
  parking(group);
  const compare = group.command('compare <view>')
    .description('Build a read model beside the live one, and show how their rows differ; nothing is switched. Exit code 1 when they do.')
    .addHelpText('after', '\nExample:\n  $ tarl projections compare feature-groups');
  compare.action((view: string) => compareView(view, compare));
}

async function list(command: Command): Promise<void> {
  const { json, profile } = globalOptions(command);
  const answer = await callRest(await findConnection(readConfig(), profile), { method: 'GET', path: '/api/v1/projections' }, {});
  if (json) return printJson(answer);
  await print(table(viewRows(answer.projections as ViewStatus[])));
}

async function rebuildView(view: string, command: Command): Promise<void> {
  const { json, profile } = globalOptions(command);
  const started = Date.now();
  const bar = rebuildBar(view);
  let last: RebuildProgress | undefined;
  try {
    for await (const progress of rebuildOver(await findConnection(readConfig(), profile), view)) bar.update((last = progress));
  } finally {
    bar.stop();
  }
  const seconds = (Date.now() - started) / 1000;
  const events = last?.events ?? 0;
  if (json) await printJson({ view, events, seconds });
  else await print(`${view} is rebuilt from ${whole.format(events)} events in ${seconds.toFixed(1)} s.`);
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
  const { json, profile } = globalOptions(command);
  const answer = await callRest(await findConnection(readConfig(), profile), { method: 'POST', path: '/api/v1/projections/{view}:compare' }, { view });
  const { same, position, tables } = answer as unknown as ViewComparison;
  if (!same) process.exitCode = exitCodes.failure;
  if (json) return printJson(answer);
  if (same) return print(`${view} is what the log gives, at position ${position}.`);
  await print(table(tables.map(({ columns, ...rows }) => ({ ...rows, columns: Object.entries(columns).map(([name, count]) => `${name}: ${whole.format(count)}`) }))));
}
