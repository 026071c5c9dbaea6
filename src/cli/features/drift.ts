import { InvalidArgumentError, Option, type Command } from 'commander';
import type { FeatureDrift } from '../../domain/features/monitoring/drift.js';
import { categoryTests, numberTests } from '../../domain/features/monitoring/tests.js';
import { readConfig } from '../../platform/config/index.js';
import { measureFeatureDrift } from '../../projections/features/monitoring/drift-query.js';
import { findConnection } from '../connection.js';
import { readResource } from '../derived/arguments.js';
import { globalOptions, print, printJson } from '../output.js';
import { callRest } from '../rest.js';
import { driftText } from './drift-table.js';
import { knownAtHelp } from './known-at.js';
import { rangeHelp, readRange, type Range } from './ranges.js';

interface Options {
  readonly reference: Range;
  readonly current: Range;
  readonly features?: readonly string[];
  readonly numbers?: string;
  readonly categories?: string;
  readonly thresholds?: Readonly<Record<string, number>>;
  readonly knownAt?: string;
}

/** `tarl features drift`: how far the features of a group have moved from one stretch of event time to another. */
export function drift(group: Command): void {
  const command = group.command('drift')
    .description('Compares the features of a group between two stretches of event time.')
    .argument('<project/group>')
    .addOption(new Option('--reference <from..to>', rangeHelp).argParser(readRange).makeOptionMandatory())
    .addOption(new Option('--current <from..to>', 'what is compared with it').argParser(readRange).makeOptionMandatory())
    .option('--features <name,…>', 'only these', (text: string) => text.split(','))
    .addOption(new Option('--numbers <test>', 'how numbers are compared').choices(numberTests.map(word)))
    .addOption(new Option('--categories <test>', 'how categories are compared').choices(categoryTests.map(word)))
    .option('--thresholds <name=value,…>', 'pValue, wasserstein, jensenShannon, populationStability, kullbackLeibler, hellinger', readThresholds)
    .option('--known-at <when>', knownAtHelp.replace(', or "row" for the time of each row', '').replace('a time, a', 'a time or a'))
    .addHelpText('after', '\nExample:\n  $ tarl features drift flights/airports --reference 2001-01 --current 2001-02');
  command.action(async (target: string, options: Options) => {
    const { json, profile } = globalOptions(command);
    const { reference, current, features = [], numbers, categories, thresholds, knownAt } = options;
    const tests = { ...thresholds, ...(numbers && { numbers: nameOf(numbers) }), ...(categories && { categories: nameOf(categories) }) };
    const input = { ...readResource(['project', 'group'], target), reference, current, features, tests, ...readKnown(knownAt) };
    const answer = await callRest(await findConnection(readConfig(), profile), measureFeatureDrift.http, input);
    if (json) return printJson(answer);
    const drifts = answer['features'] as FeatureDrift[];
    await print(`${driftText(drifts)}\n\n${answer['drifted'] as number} of ${drifts.length} features have drifted. The same again, whatever is written since: --known-at ${answer['knownAtPosition'] as string}`);
  });
}

/** `KOLMOGOROV_SMIRNOV` as it is written on the command line. */
function word(test: string): string {
  return test.toLowerCase().replaceAll('_', '-');
}
const nameOf = (written: string): string => written.toUpperCase().replaceAll('-', '_');

/** A position of the log, or a moment. */
function readKnown(written: string | undefined): { knownAtPosition?: string; knownAtTime?: string } {
  if (written === undefined) return {};
  return /^\d+(\/\d+)?$/.test(written) ? { knownAtPosition: written } : { knownAtTime: readRange(`${written}..${written}`).start };
}

function readThresholds(written: string): Record<string, number> {
  return Object.fromEntries(
    written.split(',').map((pair) => {
      const [, name, value] = /^(\w+)=([\d.e+-]+)$/i.exec(pair) ?? [];
      if (name === undefined || !Number.isFinite(Number(value))) throw new InvalidArgumentError(`"${pair}" is not name=number.`);
      return [name, Number(value)];
    }),
  );
}
