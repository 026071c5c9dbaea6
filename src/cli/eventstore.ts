import type { Command } from 'commander';
import { CommandFailure, exitCodes } from './exit-codes.js';
import { misused } from './failures.js';
import { globalOptions, print, printJson } from './output.js';
import { untilStopped } from './until-stopped.js';

/** `tarl eventstore`: the event store that ships with TARL, by itself. */
export function eventstore(program: Command): void {
  const group = program.command('eventstore').description('Run the event store that ships with TARL by itself.').helpCommand(false)
    .addHelpText('after', '\nExample:\n  $ tarl eventstore up --dir ./log --port 2113');
  const up = group.command('up')
    .description('Start it on a folder, until Ctrl-C; any EventStoreDB client connects to it.')
    .requiredOption('--dir <folder>', 'where its data is')
    .option('--port <number>', 'its port; 0 takes a free one', readPort, 2113)
    .option('--host <address>', 'the address it listens on', '127.0.0.1')
    .addHelpText('after', '\nExample:\n  $ tarl eventstore up --dir ./log\n  $ TARL_EVENTSTORE_URL="esdb://127.0.0.1:2113?tls=false" tarl up');
  up.action(async (options: { dir: string; port: number; host: string }) => {
    const stopped = untilStopped();
    const { startEventStore, FolderProblem, PortInUse } = await import('../platform/eventstore/embedded/index.js');
    const store = await startEventStore(options).catch((cause: Error) => {
      throw cause instanceof FolderProblem || cause instanceof PortInUse ? new CommandFailure(cause.message, exitCodes.failure, { cause }) : cause;
    });
    if (globalOptions(up).json) await printJson({ connectionString: store.connectionString });
    else await print(`The event store is ready at ${store.connectionString}. Ctrl-C stops it.`);
    await stopped;
    await store.close();
  });
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw misused(`"${text}" is not a port.`);
}
