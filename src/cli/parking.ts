import type { Command } from 'commander';
import type { ParkedKey, RetryOutcome } from '../api/core.js';
import { readConfig } from '../platform/config/index.js';
import { findConnection } from './connection.js';
import { globalOptions, print, printJson } from './output.js';
import { whole } from './progress.js';
import { callRest } from './rest.js';
import { table } from './table.js';

/** `tarl projections parked|retry|skip`: the events that views cannot take. */
export function parking(projections: Command): void {
  const parked = projections.command('parked [view]')
    .description('Show the keys that wait because of an event that their view cannot take, of one view or of all.')
    .addHelpText('after', '\nExample:\n  $ tarl projections parked');
  parked.action((view: string | undefined) => list(view, parked));
  const retry = projections.command('retry <view> [key]')
    .description('Try the parked events of a view again, in order; of one key or of all. A new release does so by itself.')
    .addHelpText('after', '\nExample:\n  $ tarl projections retry feature-groups');
  retry.action((view: string, key: string | undefined) => takeUp(retry, ':retry', { view, key }));
  const skip = projections.command('skip <view> <key>')
    .description('Go on without the first event that waits under a key. Who did it and why stays in the log.')
    .requiredOption('--reason <text>', 'why the view can do without it')
    .addHelpText('after', '\nExample:\n  $ tarl projections skip projects fraud --reason "Written by a test"');
  skip.action((view: string, key: string, { reason }: { reason: string }) => takeUp(skip, ':skip', { view, key, reason }));
}

async function list(view: string | undefined, command: Command): Promise<void> {
  const { json, profile } = globalOptions(command);
  const answer = await callRest(await findConnection(readConfig(), profile), { method: 'GET', path: '/api/v1/projections/{view}/parked' }, { view: view ?? '-' });
  if (json) return printJson(answer);
  const parked = answer.parked as ParkedKey[];
  await print(parked.length === 0 ? 'Nothing is parked.' : table(parked.map(rowOf)));
}

const rowOf = ({ view, key, event, error, attempts, waiting, parkedAt }: ParkedKey) => ({
  view, key,
  event: `${event.type} ${event.stream}@${event.revision}`,
  error: error ?? 'waits for an earlier event of its stream',
  attempts, behind: waiting, age: ageOf(parkedAt),
});

function ageOf(since: string): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

async function takeUp(command: Command, verb: ':retry' | ':skip', input: { view: string; key?: string; reason?: string }): Promise<void> {
  const { json, profile } = globalOptions(command);
  const answer = await callRest(await findConnection(readConfig(), profile), { method: 'POST', path: `/api/v1/projections/{view}${verb}` }, input);
  if (json) return printJson(answer);
  const { taken, left } = answer as unknown as RetryOutcome;
  await print(`${whole.format(taken)} events wait no longer, ${whole.format(left)} still do.`);
}
