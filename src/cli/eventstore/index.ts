import type { Command } from 'commander';
import { backup, restore } from './backup.js';
import { password } from './password.js';
import { scavenge } from './scavenge.js';
import { copyLog, exportLog, importLog } from './transfer.js';
import { up } from './up.js';
import { verify } from './verify.js';

const commands: readonly ((group: Command) => void)[] = [up, verify, backup, restore, exportLog, importLog, copyLog, scavenge, password];

/** `tarl eventstore`: the event store that ships with TARL, by itself. */
export function eventstore(program: Command): void {
  const group = program.command('eventstore').description('Run the event store that ships with TARL by itself, and look after its data.').helpCommand(false)
    .addHelpText('after', '\nExample:\n  $ tarl eventstore --dir ./log --port 2113');
  for (const addTo of commands) addTo(group);
}
