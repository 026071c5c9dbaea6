import type { Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { readResource } from '../derived/arguments.js';
import { misused } from '../failures.js';
import { globalOptions, print, printJson } from '../output.js';
import { callRest } from '../rest.js';
import { mendRoute } from './routes.js';

interface Options {
  readonly set: readonly string[];
  readonly entity: readonly string[];
  readonly eventTime?: string;
  readonly without: readonly string[];
}

const gather = (text: string, before: readonly string[]): readonly string[] => [...before, text];

/** `tarl quarantine mend`: writes a refused row again with other values. */
export function mend(group: Command): void {
  const command = group.command('mend')
    .description('Writes a refused row again with other values; what is not named stays.')
    .argument('<project/id>')
    .option('--set <feature=value>', 'a value in place of that which the row holds: JSON, or a text; may be repeated', gather, [])
    .option('--entity <key=value>', 'likewise a key', gather, [])
    .option('--event-time <time>', 'likewise the time')
    .option('--without <name>', 'a key or feature that the row should not name; may be repeated', gather, [])
    .addHelpText('after', '\nExample:\n  $ tarl quarantine mend flights/0197a3c2-7f4e-5d1b-8a65-2c9e13a0f7bd --set delay_min=12');
  command.action(async (target: string, { set, entity, eventTime, without }: Options) => {
    const { json, profile } = globalOptions(command);
    const input = { ...readResource(['project', 'id'], target), values: pairsOf(set), entity: pairsOf(entity), without, ...(eventTime !== undefined && { eventTime }) };
    const written = await callRest(await findConnection(readConfig(), profile), mendRoute, input);
    if (json) await printJson(written);
    else await print(`Written up to position ${String(written.position)}, and gone from the quarantine.`);
  });
}

function pairsOf(written: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    written.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw misused(`"${pair}" is not <name>=<value>.`);
      return [pair.slice(0, at), valueOf(pair.slice(at + 1))];
    }),
  );
}

/** JSON where it is some, a text otherwise; a number beyond what JSON's readers hold stays its digits. */
function valueOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
  } catch {
    return text;
  }
}
