import { Option, type Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { misused } from '../failures.js';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { openRows, rowFormats, type RowFormat } from '../rows/open.js';
import { openSink } from '../rows/sink.js';
import { featuresClient } from './client.js';
import type { HistoricalQuestion } from './historical-call.js';
import { knownAtHelp, knownAtText, readKnownAt, readTime } from './known-at.js';
import { featuresOfService, keysAsked, readAlias } from './selection.js';
import { writeTrainingSet } from './training-set.js';

const batchRows = 20_000;

interface Options {
  readonly features?: readonly string[];
  readonly service?: string;
  readonly out?: string;
  readonly eventTime: string;
  readonly format?: RowFormat;
  readonly alias?: HistoricalQuestion['aliases'];
  readonly fullNames?: boolean;
  readonly knownAt?: string;
  readonly start?: string;
  readonly end?: string;
}

/** `tarl features historical`: a training set, each row with the features as they were at its time. */
export function historical(group: Command): void {
  const command = group.command('historical')
    .description('Joins features to the rows of a file as they were at the time of each row: a training set.')
    .argument('<project>')
    .argument('[file]', 'rows with keys and times, or - for standard input; without a file all entities of the range')
    .option('--features <group:feature,…>', 'which features; a group alone means all of its', (text: string) => text.split(','))
    .option('--service <service>', 'in place of --features: those that the service names')
    .option('--out <file>', 'a .csv, .ndjson, .parquet or .arrow file; standard output without it')
    .option('--event-time <column>', 'the column with the time of each row: ISO 8601, UTC where it has no zone', 'event_time')
    .addOption(new Option('--format <format>', 'when the name of the file does not say it').choices(rowFormats))
    .addOption(new Option('--alias <alias=group:key=column,…>', 'another name for a group, to join it twice; may be repeated').argParser(readAlias))
    .option('--full-names', 'name the columns group__feature')
    .option('--known-at <when>', knownAtHelp)
    .option('--start <time>', 'without a file: the first event time')
    .option('--end <time>', 'without a file: the last event time')
    .addHelpText('after', '\nExample:\n  $ tarl features historical flights labels.csv --features airports:delay_min,routes --full-names --out training.csv');
  command.action(async (project: string, file: string | undefined, options: Options) => {
    const { json, profile } = globalOptions(command);
    const question = questionOf(project, file, options);
    const connection = await findConnection(readConfig(), profile);
    const features = options.service === undefined ? question.features : await featuresOfService(connection, project, options.service);
    const keys = await keysAsked(connection, project, features, options.alias ?? []);
    const source = file === undefined ? undefined : await openRows(file, batchRows, options.format);
    const sink = await openSink(options.out, json);
    const client = await featuresClient(connection);
    const started = performance.now();
    const bar = progress('Building', undefined, 'rows');
    const written = await writeTrainingSet(client, question, keys, source, sink, (rows) => bar.update(rows)).finally(() => {
      bar.stop();
      client.close();
    });
    if (options.out === undefined) return;
    const seconds = (performance.now() - started) / 1000;
    const again = knownAtText(written.knownAt);
    if (json) await printJson({ rows: written.rows, seconds: Number(seconds.toFixed(3)), knownAt: again, out: options.out });
    else await print(`${whole.format(written.rows)} rows in ${options.out} after ${seconds.toFixed(1)} s. The same again, whatever is written since: --known-at ${again}`);
  });
}

function questionOf(project: string, file: string | undefined, { features = [], service, alias = [], fullNames = false, knownAt, eventTime, start, end }: Options): HistoricalQuestion & { timeColumn: string } {
  if (file !== undefined && (start ?? end) !== undefined) throw misused('--start and --end are for a question without a file: its rows have their own times.');
  if ((features.length === 0) === (service === undefined)) throw misused('Name the features: either --features or --service.');
  return {
    project, features, ...(service !== undefined && { service }), aliases: alias, fullNames, timeColumn: eventTime,
    ...(knownAt !== undefined && { knownAt: readKnownAt(knownAt) }),
    ...(start !== undefined && { start: readTime(start) }),
    ...(end !== undefined && { end: readTime(end) }),
  };
}
