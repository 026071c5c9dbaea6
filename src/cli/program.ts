import { Command, CommanderError } from 'commander';
import { SetupError } from '../platform/supervise/setup-error.js';
import { version } from '../platform/version.js';
import { completion } from './completion.js';
import { domains } from './domains.js';
import { eventstore } from './eventstore/index.js';
import { CommandFailure, exitCodes, exitCodesHelp } from './exit-codes.js';
import { RowsError } from '../platform/rows/batch.js';
import { jobs } from './jobs.js';
import { projections } from './projections.js';
import { replay } from './replay.js';
import { status } from './status.js';
import { up } from './up.js';

/** What the command line can do, one group a file. A group adds its commands to the program. */
const groups: readonly ((program: Command) => void)[] = [up, status, domains, projections, replay, jobs, eventstore, completion];

/** The `tarl` command with everything it knows; shell completion is derived from it. */
export function makeProgram(): Command {
  const program = new Command('tarl')
    .description('The control plane of a machine-learning platform.')
    .version(version, '--version', 'print the version of TARL')
    .option('--json', 'print machine-readable JSON')
    .option('--profile <name>', 'which profile of ~/.config/tarl/config.json to use (or TARL_PROFILE)')
    .showHelpAfterError('(add --help for the options and an example)')
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText('after', `\nExample:\n  $ tarl up\n\n${exitCodesHelp}`);
  for (const addTo of groups) addTo(program);
  for (const command of allCommands(program)) command.exitOverride();
  return program;
}

/** Runs one command line; resolves with its exit code after printing what went wrong. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  try {
    await makeProgram().parseAsync(argv);
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof RowsError) {
      console.error(error.message);
      return exitCodes.usage;
    }
    if (error instanceof CommandFailure) {
      console.error(error.message);
      return error.exitCode;
    }
    console.error(sentenceFor(error) ?? error);
    return exitCodes.failure;
  }
}

/** What the machine can do to us anywhere; everything else without a sentence of its own is a defect and shows its stack. */
function sentenceFor(error: unknown): string | undefined {
  if (error instanceof SetupError) return error.message;
  const { code, port, syscall, path, message } = error as NodeJS.ErrnoException & { port?: unknown };
  switch (code) {
    case 'ENOSPC':
      return 'The disk is full: free some space and start again.';
    case 'EADDRINUSE':
      return `Port ${port} is in use: stop what uses it, or choose another one (see the settings in README.md).`;
    default:
      // A file or a folder that is not as the user thinks.
      return syscall !== undefined && path !== undefined ? `The system refuses: ${message}.` : undefined;
  }
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}
