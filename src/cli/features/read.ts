import type { Command } from 'commander';
import type { EntityKey } from '../../domain/features/definition.js';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { misused } from '../failures.js';
import { globalOptions, print, printJson } from '../output.js';
import { table } from '../table.js';
import { readGroup } from './group.js';
import { keyColumns, vectorsOf, type OnlineReply, type OnlineValue } from './online.js';

interface Options {
  readonly features?: readonly string[];
  readonly minPosition?: string;
}

/** `tarl features read`: the latest values of entities named on the command line. */
export function read(group: Command): void {
  const command = group.command('read')
    .description('Reads the latest values of entities.')
    .argument('<project/group>')
    .argument('<entity...>', 'keys; several keys of one entity with commas between them, or as a JSON array')
    .option('--features <name,…>', 'only these', (text: string) => text.split(','))
    .option('--min-position <position>', 'wait until the answer holds everything up to this position')
    .addHelpText('after', '\nExample:\n  $ tarl features read flights/routes LAS,PHL ATL,SAV --features delay_min');
  command.action(async (target: string, written: string[], { features = [], minPosition }: Options) => {
    const { json, profile } = globalOptions(command);
    const connection = await findConnection(readConfig(), profile);
    const definition = await readGroup(connection, target);
    const tuples = written.map((one) => readEntity(one, definition.entities));
    const { ServiceClient } = await import('../grpc.js');
    const client = new ServiceClient(connection, 'tarl/features/v1/features.proto', 'tarl.features.v1.Features');
    const asked = features.length > 0 ? features.map((name) => `${definition.group}:${name}`) : [definition.group];
    const reply = await client.unary<OnlineReply>('ReadOnline', { project: definition.project, features: asked, keys: keyColumns(definition.entities, tuples) }, { minPosition });
    client.close();
    const rows = vectorsOf(reply, definition.features, tuples.length).map((vector, at) => ({ entity: keysOf(definition.entities, tuples[at]!), ...vector }));
    if (json) await printJson(rows);
    else await print(table(rows.map(({ entity, eventTime, values }) => ({ ...entity, event_time: eventTime, ...readable(values) }))));
  });
}

function readEntity(written: string, entities: readonly EntityKey[]): unknown[] {
  const values: unknown[] = written.startsWith('[') ? listIn(written) : entities.length === 1 ? [written] : written.split(',');
  if (values.length === entities.length) return values;
  throw misused(`"${written}" has ${values.length} keys; an entity of this group has ${entities.length}: ${entities.map(({ name }) => name).join(', ')}.`);
}

function listIn(written: string): unknown[] {
  try {
    return JSON.parse(written);
  } catch (error) {
    throw misused(`"${written}" is not a JSON array: ${(error as Error).message}.`);
  }
}

const keysOf = (entities: readonly EntityKey[], tuple: readonly unknown[]): Record<string, unknown> => Object.fromEntries(entities.map(({ name }, at) => [name, tuple[at]]));

/** A value that is not simply there says so in words. */
const readable = (values: Record<string, OnlineValue>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, { value, status }]) => [name, status === 'PRESENT' ? value : status === 'OUTSIDE_MAX_AGE' ? `${String(value)} (too old)` : status === 'NULL_VALUE' ? 'null' : 'not found']));
