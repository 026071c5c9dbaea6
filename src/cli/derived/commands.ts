import type { Command } from 'commander';
import type { Domain } from '../../catalogue.js';
import type { CommandReply } from '../../commands/kit/command.js';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { globalOptions, print, printJson } from '../output.js';
import { callRest } from '../rest.js';
import { block, table } from '../table.js';
import { optionOf, readResource, shapeOf, type Shape } from './arguments.js';
import { exampleOf } from './example.js';
import { verbsOf, type Named } from './verbs.js';

/** Adds a command for each command and query of a domain, save those the group has already. */
export function addDerived(group: Command, domain: Domain): void {
  const byHand = new Set(group.commands.map((command) => command.name()));
  const verbs = verbsOf(domain);
  for (const named of verbs) if (!byHand.has(named.verb)) addOne(group, named);
  const first = verbs[0]!;
  group.addHelpText('after', exampleText(group, first.verb, shapeOf(first.definition)));
}

function addOne(group: Command, named: Named): void {
  const { definition, verb, kind } = named;
  const shape = shapeOf(definition);
  const command = group.command(verb).description(`${definition.summary}.`);
  if (shape.resource.length > 0) command.argument(`<${shape.resource.join('/')}>`);
  for (const field of shape.fields) command.addOption(optionOf(field));
  if (kind === 'command') {
    command.option('--idempotency-key <key>', 'a repeat under the same key takes effect once');
    command.option('--if-match <etag>', 'refuse when the resource has changed since this etag; * when it only has to exist');
  } else {
    command.option('--min-position <position>', 'wait until the answer holds everything up to this position');
  }
  command.addHelpText('after', exampleText(group, verb, shape));
  command.action(async (...given: unknown[]) => {
    const options = command.opts<Record<string, unknown>>();
    const { json, profile } = globalOptions(command);
    const input = { ...Object.fromEntries(shape.fields.map(({ name }) => [name, options[name]])), ...(shape.resource.length > 0 && readResource(shape.resource, given[0] as string)) };
    const connection = await findConnection(readConfig(), profile);
    const answer = await callRest(connection, definition.http, input, headersOf(options), tellHeaders);
    if (json) await printJson(answer);
    else await print(kind === 'command' ? sentenceOf(answer as unknown as CommandReply) : readable(answer));
  });
}

const exampleText = (group: Command, verb: string, shape: Shape): string => `\nExample:\n  ${exampleOf(`${group.name()} ${verb}`, shape)}`;

/** A question about the past is answered as of a position, under which it can be asked again; where keys stand still, what is read may be older than it seems. */
function tellHeaders(headers: Headers): void {
  const position = headers.get('tarl-as-of');
  if (position !== null) process.stderr.write(`As of position ${position}.\n`);
  const parked = headers.get('tarl-parked-keys');
  if (parked !== null) process.stderr.write(`Keys stand still (${parked}), so this may be older than it seems: see \`tarl projections parked\`.\n`);
}

const headersOf = ({ idempotencyKey, ifMatch, minPosition }: Record<string, unknown>): Record<string, string> => ({
  ...(idempotencyKey !== undefined && { 'idempotency-key': String(idempotencyKey) }),
  ...(ifMatch !== undefined && { 'if-match': ifMatch === '*' ? '*' : `"${String(ifMatch).replaceAll('"', '')}"` }),
  ...(minPosition !== undefined && { 'tarl-min-position': String(minPosition) }),
});

const sentenceOf = ({ changed, position, etag }: CommandReply): string =>
  changed ? `Done at position ${position}, etag ${etag}.` : `Nothing to change: it is so already (position ${position}, etag ${etag}).`;

/** A list as a table, one thing as a block. */
function readable(answer: Record<string, unknown>): string {
  const list = Object.values(answer).find((value) => Array.isArray(value));
  if (!list || !('nextPageToken' in answer)) return block(answer);
  if (list.length === 0) return 'None.';
  const more = answer.nextPageToken ? `\n\nThere are more: --page-token ${String(answer.nextPageToken)}` : '';
  return table(list) + more;
}
