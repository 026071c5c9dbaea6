import type { Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { globalOptions, print, printJson } from '../output.js';
import { featuresClient } from './client.js';
import { entityHelp, readVectors, vectorTable } from './entities.js';
import { readableHelp, readTarget, serviceHelp } from './target.js';
import { knownAtHelp, knownAtText, readKnownAt, readTime } from './known-at.js';

interface Options {
  readonly at: string;
  readonly features?: readonly string[];
  readonly service?: string;
  readonly knownAt?: string;
}

/** `tarl features as-of`: the values of entities at a past moment, from the log. */
export function asOf(group: Command): void {
  const command = group.command('as-of')
    .description('Reads the values that entities had at a moment, from the log.')
    .argument('<project/group>', `${readableHelp}; the project alone with --service`)
    .argument('<entity...>', entityHelp)
    .requiredOption('--at <time>', 'the moment, ISO 8601; UTC where it has no zone')
    .option('--features <name,…>', 'only these', (text: string) => text.split(','))
    .option('--service <service>', serviceHelp)
    .option('--known-at <when>', knownAtHelp)
    .addHelpText('after', '\nExample:\n  $ tarl features as-of flights/airports ORD ATL --at 2001-03-01T12:00Z');
  command.action(async (target: string, entities: string[], { at, knownAt, ...named }: Options) => {
    const { json, profile } = globalOptions(command);
    const moment = { at: readTime(at), ...(knownAt !== undefined && { knownAt: readKnownAt(knownAt) }) };
    const connection = await findConnection(readConfig(), profile);
    const asked = await readTarget(connection, target, named);
    const { vectors, reply } = await readVectors(await featuresClient(connection), 'ReadAsOf', asked, entities, moment);
    const again = knownAtText(reply.knownAt ?? {});
    if (json) await printJson({ knownAt: again, vectors });
    else await print(`${vectorTable(vectors)}\n\nThe same again, whatever is written since: --known-at ${again}`);
  });
}
