import type { Command } from 'commander';
import { misused } from '../failures.js';
import { globalOptions, print, printJson } from '../output.js';
import { untilStopped } from '../until-stopped.js';
import { told } from './told.js';

interface UpOptions {
  readonly dir?: string;
  readonly mem?: true;
  readonly port: number;
  readonly host: string;
}

/** `tarl eventstore up`, which is also what `tarl eventstore` alone does. */
export function up(group: Command): void {
  const command = group.command('up', { isDefault: true })
    .description('Start it, until Ctrl-C; any EventStoreDB client connects to it.')
    .option('--dir <folder>', 'where its data is')
    .option('--mem', 'keep nothing: its data goes when it stops')
    .option('--port <number>', 'its port; 0 takes a free one', readPort, 2113)
    .option('--host <address>', 'the address it listens on', '127.0.0.1')
    .addHelpText('after', '\nExample:\n  $ tarl eventstore up --dir ./log\n  $ TARL_EVENTSTORE_URL="esdb://127.0.0.1:2113?tls=false" tarl up');
  command.action(async (options: UpOptions) => {
    if ((options.dir === undefined) !== Boolean(options.mem)) throw misused('Say where the data is with --dir, or that there is nothing to keep with --mem.');
    const stopped = untilStopped();
    const { startEventStore } = await import('../../platform/eventstore/embedded/index.js');
    const store = await told(startEventStore({ dir: options.dir, port: options.port, host: options.host }));
    if (globalOptions(command).json) await printJson({ connectionString: store.connectionString });
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
