import type { Command } from 'commander';
import { misused } from './failures.js';

/** `tarl help projects create`: what `tarl projects create --help` prints. */
export function help(program: Command): void {
  program.command('help')
    .description('Show the help of a command.')
    .argument('[command...]', 'its words, such as projects create')
    .addHelpText('after', '\nExample:\n  $ tarl help projects create')
    .action((words: string[]) => {
      let found = program;
      for (const word of words) {
        const next = found.commands.find((command) => command.name() === word || command.aliases().includes(word));
        if (!next) throw misused(`There is no command ${words.join(' ')}; tarl help lists them.`);
        found = next;
      }
      found.outputHelp();
    });
}
