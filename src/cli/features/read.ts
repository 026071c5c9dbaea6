import type { Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { globalOptions, print, printJson } from '../output.js';
import { featuresClient } from './client.js';
import { entityHelp, readVectors, vectorTable } from './entities.js';
import { readGroup } from './group.js';

interface Options {
  readonly features?: readonly string[];
  readonly minPosition?: string;
}

/** `tarl features read`: the latest values of entities named on the command line. */
export function read(group: Command): void {
  const command = group.command('read')
    .description('Reads the latest values of entities.')
    .argument('<project/group>')
    .argument('<entity...>', entityHelp)
    .option('--features <name,…>', 'only these', (text: string) => text.split(','))
    .option('--min-position <position>', 'wait until the answer holds everything up to this position')
    .addHelpText('after', '\nExample:\n  $ tarl features read flights/routes LAS,PHL ATL,SAV --features delay_min');
  command.action(async (target: string, entities: string[], { features = [], minPosition }: Options) => {
    const { json, profile } = globalOptions(command);
    const connection = await findConnection(readConfig(), profile);
    const definition = await readGroup(connection, target);
    const { vectors } = await readVectors(await featuresClient(connection), 'ReadOnline', definition, entities, features, {}, minPosition);
    if (json) await printJson(vectors);
    else await print(vectorTable(vectors));
  });
}
