import { InvalidArgumentError, type Command } from 'commander';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { readConfig } from '../platform/config/index.js';
import type { ReplayProgress } from '../projections/replay/replay.js';
import { findConnection } from './connection.js';
import { refused, unreachable, type RefusalSaid } from './failures.js';
import type { LocalRun } from './local-run.js';
import { globalOptions } from './output.js';
import { refusedBy } from './rest.js';
import { progress, whole } from './progress.js';

const filterNames = ['type', 'stream', 'project', 'actor', 'correlation'];

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly filter: Readonly<Record<string, string>>;
  readonly state?: boolean;
  readonly effects?: boolean;
}

/** `tarl replay`: the log told again as NDJSON. */
export function replay(program: Command): void {
  const command = program.command('replay')
    .description('Print the events of the log again, one JSON object a line, oldest first; how far it is stands on standard error.')
    .option('--from <place>', 'begin after this position, or at this time')
    .option('--to <place>', 'end with this position, or at this time')
    .option('--filter <name=value>', `only events of this ${filterNames.join(', ')}; several by commas, * at the end for all that begin so; may be repeated`, addFilter, {})
    .option('--state', 'with the state of its stream after each event')
    .option('--effects', 'with all that the chosen events led to later, whoever did it')
    .addHelpText('after', '\nExample:\n  $ tarl replay --from 2026-01-31T12:00:00Z --filter type=ProjectCreated,ProjectArchived --state');
  command.action((options: Options) => run(command, options));
}

function addFilter(text: string, filters: Record<string, string>): Record<string, string> {
  const [, name = '', value = ''] = /^(\w+)=(.+)$/s.exec(text) ?? [];
  if (!filterNames.includes(name)) throw new InvalidArgumentError(`Takes one of ${filterNames.map((known) => `${known}=…`).join(', ')}.`);
  return { ...filters, [name]: filters[name] === undefined ? value : `${filters[name]},${value}` };
}

async function run(command: Command, { from, to, filter, state, effects }: Options): Promise<void> {
  const { profile } = globalOptions(command);
  const query = Object.entries({ ...filter, from, to, state: state && 'true', effects: effects && 'true', progress: 'true' }).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const bar = progress('Replaying', 1000, '‰');
  let events = 0;
  try {
    for await (const line of linesOf(await findConnection(readConfig(), profile), new URLSearchParams(query))) {
      // Only what the platform adds begins with these names; an event begins with its position.
      if (line.startsWith('{"progress":')) {
        const { progress: now } = JSON.parse(line) as { progress: ReplayProgress };
        bar.update(Math.floor(now.done * 1000), `${whole.format(now.events)} events`);
      } else if (line.startsWith('{"error":')) throw refused((JSON.parse(line) as { error: RefusalSaid }).error);
      else {
        events++;
        if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
      }
    }
  } finally {
    bar.stop();
  }
  process.stderr.write(`${whole.format(events)} events\n`);
}

async function* linesOf({ addresses, key }: LocalRun, query: URLSearchParams): AsyncGenerator<string> {
  const response = await fetch(`${addresses.rest}/api/v1/replay?${query}`, { headers: { authorization: `Bearer ${key}` } }).catch((error: unknown) => {
    throw unreachable(addresses.rest, error);
  });
  if (!response.ok || !response.body) {
    throw refusedBy((await response.json()) as Record<string, unknown>, response.status);
  }
  yield* createInterface({ input: Readable.fromWeb(response.body as never) });
}
