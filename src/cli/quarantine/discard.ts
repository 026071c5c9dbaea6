import type { Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { globalOptions, print, printJson } from '../output.js';
import { callRest } from '../rest.js';
import { discardRoute } from './routes.js';

/** `tarl quarantine discard`: gives refused rows up. */
export function discard(group: Command): void {
  const command = group.command('discard')
    .description('Gives refused rows up; the log says who decided it and why.')
    .argument('<project>')
    .argument('<id...>')
    .requiredOption('--reason <text>', 'why they are not needed')
    .addHelpText('after', '\nExample:\n  $ tarl quarantine discard flights 0197a3c2-7f4e-5d1b-8a65-2c9e13a0f7bd --reason "sent twice"');
  command.action(async (project: string, ids: string[], { reason }: { reason: string }) => {
    const { json, profile } = globalOptions(command);
    const answer = await callRest(await findConnection(readConfig(), profile), discardRoute, { project, ids, reason });
    if (json) await printJson(answer);
    else await print(`${String(answer.discarded)} discarded.`);
  });
}
