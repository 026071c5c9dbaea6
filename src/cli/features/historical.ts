import type { Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { openRows } from '../rows/open.js';
import { openSink } from '../rows/sink.js';
import { featuresClient } from './client.js';
import { knownAtText } from './known-at.js';
import { asking, questionOf, type QuestionOptions } from './question.js';
import { featuresOfService, keysAsked } from './selection.js';
import { timesRead } from './time-unit.js';
import { writeTrainingSet } from './training-set.js';

const batchRows = 20_000;

interface Options extends QuestionOptions {
  readonly out?: string;
}

/** `tarl features historical`: a training set, each row with the features as they were at its time. */
export function historical(group: Command): void {
  const command = asking(group.command('historical'))
    .description('Joins features to the rows of a file as they were at the time of each row: a training set.')
    .argument('<project>')
    .argument('[file]', 'rows with keys and times, or - for standard input; without a file all entities of the range')
    .option('--out <file>', 'a .csv, .ndjson, .parquet or .arrow file; standard output without it')
    .addHelpText('after', '\nExample:\n  $ tarl features historical flights labels.csv --features airports:delay_min,routes --full-names --out training.csv');
  command.action(async (project: string, file: string | undefined, options: Options) => {
    const { json, profile } = globalOptions(command);
    const question = questionOf(project, file, options);
    const connection = await findConnection(readConfig(), profile);
    const features = options.service === undefined ? question.features : await featuresOfService(connection, project, options.service);
    const keys = await keysAsked(connection, project, features, options.alias ?? []);
    const opened = file === undefined ? undefined : await openRows(file, batchRows, options.format);
    const source = opened && { ...opened, batches: timesRead(opened.batches, question.timeColumn, options.timeUnit) };
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
