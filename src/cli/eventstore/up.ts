import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
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
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: true;
  readonly slowMs: number;
}

/** `tarl eventstore up`, which is also what `tarl eventstore` alone does. */
export function up(group: Command): void {
  const command = group.command('up', { isDefault: true })
    .description('Start it, until Ctrl-C; any EventStoreDB client connects to it.')
    .option('--dir <folder>', 'where its data is')
    .option('--mem', 'keep nothing: its data goes when it stops')
    .option('--port <number>', 'its port; 0 takes a free one', readPort, 2113)
    .option('--host <address>', 'the address it listens on', '127.0.0.1')
    .option('--tls-cert <file>', 'its certificate, as PEM: it then serves over TLS and users log in')
    .option('--tls-key <file>', 'the key of the certificate, as PEM')
    .option('--insecure', 'serve everybody on the network in the clear')
    .option('--slow-ms <number>', 'requests that take as long are logged', readMs, 500)
    .addHelpText('after', '\nExample:\n  $ tarl eventstore up --dir ./log\n  $ TARL_EVENTSTORE_URL="esdb://127.0.0.1:2113?tls=false" tarl up\n  $ tarl eventstore up --dir ./log --host 0.0.0.0 --tls-cert node.crt --tls-key node.key');
  command.action(async (options: UpOptions) => {
    if ((options.dir === undefined) !== Boolean(options.mem)) throw misused('Say where the data is with --dir, or that there is nothing to keep with --mem.');
    const tls = identityOf(options);
    if (tls === undefined && !options.insecure && !isLocal(options.host)) throw misused('On a network it serves over TLS, with --tls-cert and --tls-key; or say --insecure to let everybody there do everything.');
    const stopped = untilStopped();
    const { logSlow, startEventStore } = await import('../../platform/eventstore/embedded/index.js');
    const store = await told(startEventStore({ dir: options.dir, port: options.port, host: options.host, slowMs: options.slowMs, onSlow: logSlow, tls }));
    if (globalOptions(command).json) await printJson({ connectionString: store.connectionString });
    else await print(`The event store is ready at ${store.connectionString}. Ctrl-C stops it.`);
    await stopped;
    await store.close();
  });
}

function identityOf({ tlsCert, tlsKey, insecure }: UpOptions): { cert: Buffer; key: Buffer } | undefined {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw misused('TLS needs both --tls-cert and --tls-key.');
  if (tlsCert !== undefined && insecure) throw misused('It is either TLS or --insecure.');
  return tlsCert === undefined ? undefined : { cert: readPem(tlsCert), key: readPem(tlsKey!) };
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw misused(`${file} cannot be read: ${(error as Error).message}`);
  }
}

const isLocal = (host: string): boolean => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

function readMs(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw misused(`"${text}" is not a number of milliseconds.`);
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw misused(`"${text}" is not a port.`);
}
