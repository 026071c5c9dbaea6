import { Option, type Command } from 'commander';
import { misused } from '../failures.js';
import { rowFormats, type RowFormat } from '../rows/open.js';
import type { HistoricalQuestion } from './historical-call.js';
import { knownAtHelp, readKnownAt, readTime } from './known-at.js';
import { readAlias } from './selection.js';
import { timeUnitOption } from './time-unit.js';

/** What the command line says of a question for a training set. */
export interface QuestionOptions {
  readonly features?: readonly string[];
  readonly service?: string;
  readonly eventTime: string;
  readonly timeUnit: readonly string[];
  readonly format?: RowFormat;
  readonly alias?: HistoricalQuestion['aliases'];
  readonly fullNames?: boolean;
  readonly knownAt?: string;
  readonly start?: string;
  readonly end?: string;
}

/** Adds the options of a question for a training set. */
export const asking = (command: Command): Command =>
  command
    .option('--features <group:feature,…>', 'which features; a group alone means all of its', (text: string) => text.split(','))
    .option('--service <service>', 'in place of --features: those that the service names')
    .option('--event-time <column>', 'the column with the time of each row: ISO 8601, UTC where it has no zone', 'event_time')
    .addOption(timeUnitOption())
    .addOption(new Option('--format <format>', 'when the name of the file does not say it').choices(rowFormats))
    .addOption(new Option('--alias <alias=group:key=column,…>', 'another name for a group, to join it twice; may be repeated').argParser(readAlias))
    .option('--full-names', 'name the columns group__feature')
    .option('--known-at <when>', knownAtHelp)
    .option('--start <time>', 'without a file: the first event time')
    .option('--end <time>', 'without a file: the last event time');

/** The question that the options ask; `file` holds its rows. */
export function questionOf(project: string, file: string | undefined, { features = [], service, alias = [], fullNames = false, knownAt, eventTime, start, end }: QuestionOptions): HistoricalQuestion & { timeColumn: string } {
  if (file !== undefined && (start ?? end) !== undefined) throw misused('--start and --end are for a question without a file: its rows have their own times.');
  if ((features.length === 0) === (service === undefined)) throw misused('Name the features: either --features or --service.');
  return {
    project, features, ...(service !== undefined && { service }), aliases: alias, fullNames, timeColumn: eventTime,
    ...(knownAt !== undefined && { knownAt: readKnownAt(knownAt) }),
    ...(start !== undefined && { start: readTime(start) }),
    ...(end !== undefined && { end: readTime(end) }),
  };
}
