import type { Command } from 'commander';
import type { JobsStatus } from '../api/core.js';
import { readConfig } from '../platform/config/index.js';
import { findConnection } from './connection.js';
import { globalOptions, print, printJson } from './output.js';
import { callRest } from './rest.js';
import { table } from './table.js';

/** `tarl jobs`: the work beside the requests, and another try for what was given up. */
export function jobs(program: Command): void {
  const group = program.command('jobs')
    .description('Show the background jobs: what waits, what runs, and what was given up and why.')
    .helpCommand(false)
    .addHelpText('after', '\nExample:\n  $ tarl jobs');
  group.action(() => list(group));
  const retry = group.command('retry <id>')
    .description('Try a job again that was given up.')
    .addHelpText('after', '\nExample:\n  $ tarl jobs retry 019a0c1e-7d3c-7a0e-9c55-0b3c1a5d7e42');
  retry.action((id: string) => tryAgain(id, retry));
}

async function list(command: Command): Promise<void> {
  const { json, profile } = globalOptions(command);
  const answer = await callRest(await findConnection(readConfig(), profile), { method: 'GET', path: '/api/v1/jobs' }, {});
  if (json) return printJson(answer);
  const { jobs, failed, reactions } = answer as unknown as JobsStatus;
  const queues = jobs.map(({ name, waiting, active, delayed, completed, failed, schedule, next }) => ({ job: name, waiting, active, delayed, completed, failed, schedule, next }));
  const tables = [queues, failed.map(({ id, job, attempts, failedAt, reason }) => ({ failed: id, job, attempts, at: failedAt, reason })), reactions.map(({ name, position, error }) => ({ reaction: name, position, error }))];
  await print(tables.filter((rows) => rows.length > 0).map(table).join('\n\n') || 'There are no jobs.');
}

async function tryAgain(id: string, command: Command): Promise<void> {
  const { json, profile } = globalOptions(command);
  const answer = await callRest(await findConnection(readConfig(), profile), { method: 'POST', path: '/api/v1/jobs/{job}:retry' }, { job: id });
  if (json) await printJson(answer);
  else await print(`${id} is tried again.`);
}
