import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { misused } from '../failures.js';
import { print } from '../output.js';
import { told } from './told.js';

/** `tarl eventstore password`: the first thing to do on a node that asks users to log in. */
export function password(group: Command): void {
  group.command('password')
    .description('Set the password of a user, as an administrator; the new one is the first line of standard input.')
    .argument('<login>', 'whose password')
    .requiredOption('--url <address>', 'any EventStoreDB, with an administrator to log in as')
    .addHelpText('after', '\nExample:\n  $ tarl eventstore password admin --url "esdb://admin:changeit@localhost:2113?tlsCAFile=ca.pem"')
    .action(async (login: string, { url }: { url: string }) => {
      const next = await firstLine();
      if (next === '') throw misused('A password cannot be empty.');
      const { resetPassword } = await import('../../platform/eventstore/embedded/tools/remote.js');
      await told(resetPassword(url, login, next));
      await print(`The password of ${login} is set.`);
    });
}

/** One line; from a terminal without showing what is typed. */
async function firstLine(): Promise<string> {
  const isTerminal = Boolean(process.stdin.isTTY);
  if (isTerminal) process.stderr.write('New password: ');
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: isTerminal });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (isTerminal) process.stderr.write('\n');
  }
}
