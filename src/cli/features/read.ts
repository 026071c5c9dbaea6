import type { Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { globalOptions, print, printJson } from '../output.js';
import { featuresClient } from './client.js';
import { entityHelp, readVectors, vectorTable } from './entities.js';
import { readableHelp, readTarget, serviceHelp } from './target.js';

interface Options {
  readonly features?: readonly string[];
  readonly service?: string;
  readonly minPosition?: string;
}

/** `tarl features read`: the latest values of entities named on the command line. */
export function read(group: Command): void {
  const command = group.command('read')
    .description('Reads the latest values of entities.')
    .argument('<project/group>', `${readableHelp}; the project alone with --service`)
    .argument('<entity...>', entityHelp)
    .option('--features <name,…>', 'only these', (text: string) => text.split(','))
    .option('--service <service>', serviceHelp)
    .option('--min-position <position>', 'wait until the answer holds everything up to this position')
    .addHelpText('after', '\nExample:\n  $ tarl features read flights/routes LAS,PHL ATL,SAV --features delay_min\n  $ tarl features read flights ORD,LAX --service delay_model');
  command.action(async (target: string, entities: string[], { minPosition, ...named }: Options) => {
    const { json, profile } = globalOptions(command);
    const connection = await findConnection(readConfig(), profile);
    const asked = await readTarget(connection, target, named, minPosition);
    const { vectors } = await readVectors(await featuresClient(connection), 'ReadOnline', asked, entities, {}, minPosition);
    if (json) await printJson(vectors);
    else await print(vectorTable(vectors));
  });
}
