import { Command, CommanderError } from 'commander';
import { version } from '../platform/version.js';
import { completion } from './completion.js';
import { domains } from './domains.js';
import { eventstore } from './eventstore/index.js';
import { exitCodes, exitCodesHelp } from './exit-codes.js';
import { help } from './help.js';
import { jobs } from './jobs.js';
import { projections } from './projections.js';
import { replay } from './replay.js';
import { report } from './report.js';
import { status } from './status.js';
import { up } from './up.js';

/** What the command line can do, one group a file. A group adds its commands to the program. */
const groups: readonly ((program: Command) => void)[] = [up, status, domains, projections, replay, jobs, eventstore, completion, help];

/** The `tarl` command with everything it knows; shell completion is derived from it. With `quiet` what is wrong with a command line is only thrown. */
export function makeProgram(quiet = false): Command {
  const program = new Command('tarl')
    .description('The control plane of a machine-learning platform.')
    .version(version, '--version', 'print the version of TARL')
    .option('--json', 'print machine-readable JSON; what went wrong is then one JSON object on the last line of standard error')
    .option('--profile <name>', 'which profile of ~/.config/tarl/config.json to use (or TARL_PROFILE)')
    .showHelpAfterError('(add --help for the options and an example)')
    .showSuggestionAfterError()
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput(quiet ? { writeErr: () => undefined } : {})
    .addHelpText('after', `\nExample:\n  $ tarl up\n\n${exitCodesHelp}`);
  for (const addTo of groups) addTo(program);
  for (const command of allCommands(program)) command.exitOverride();
  return program;
}

/** Runs one command line; resolves with its exit code after saying what went wrong. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const json = asksForJson(argv);
  try {
    await makeProgram(json).parseAsync(argv);
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    return report(error, json);
  }
}

/** Looked for before anything is parsed, so that what cannot be parsed is told as JSON too. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}
