import { Option, type Command } from 'commander';
import { timeUnitsOf } from '../../commands/features/file-times.js';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { CommandFailure, exitCodes } from '../exit-codes.js';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import type { RowSource } from '../rows/source.js';
import { openRows, rowFormats, type RowFormat } from '../rows/open.js';
import { featuresClient } from './client.js';
import { noteUnused, readRenamed } from './columns-of-batch.js';
import { readGroup } from './group.js';
import { RowStream } from './row-stream.js';
import { Tally } from './tally.js';
import { timeUnitOption } from './time-unit.js';
import { writeRows } from './write-rows.js';

/** For whom rows are written, as the protocol says it. */
export const modes = { online: 1, offline: 2, both: 3 } as const;
const batchRows = 10_000;

interface Options {
  readonly mode: keyof typeof modes;
  readonly format?: RowFormat;
  readonly eventTime: string;
  readonly timeUnit: readonly string[];
  readonly rename?: readonly string[];
  readonly partial?: boolean;
}

/** `tarl features write`: the rows of a file, in columns over gRPC, each batch acknowledged when it is durable. */
export function write(group: Command): void {
  const command = group.command('write')
    .description('Writes the rows of a CSV, NDJSON, Parquet or Arrow file to a feature group.')
    .argument('<project/group>')
    .argument('<file>', 'the file, or - for standard input')
    .addOption(new Option('--mode <mode>', 'for whom: the latest values, the history, or both').choices(Object.keys(modes)).default('both'))
    .addOption(new Option('--format <format>', 'when the name of the file does not say it').choices(rowFormats))
    .option('--event-time <column>', 'the column with the time of each row: ISO 8601, UTC where it has no zone', 'event_time')
    .addOption(timeUnitOption())
    .option('--rename <name=column,…>', 'keys and features whose columns have other names', (text: string) => text.split(','))
    .option('--partial', 'write the good rows of a batch that has bad ones too')
    .addHelpText('after', '\nAn empty cell of a CSV file is null, and "" an empty text.\n\nExample:\n  $ tarl features write flights/airports departures.csv --event-time date --rename delay_min=delay');
  command.action(async (target: string, file: string, options: Options) => {
    const { json } = globalOptions(command);
    const source = await openRows(file, batchRows, options.format);
    const tally = await writeFile(target, source, options, globalOptions(command).profile);
    if (json) await printJson(tally.summary());
    else await print(tally.sentence());
    if (tally.rowsRejected > 0) throw new CommandFailure(tally.faults.join('\n'), exitCodes.refused);
  });
}

async function writeFile(target: string, opened: RowSource, { mode, eventTime, timeUnit, rename = [], partial = false }: Options, profile?: string): Promise<Tally> {
  const connection = await findConnection(readConfig(), profile);
  const group = await readGroup(connection, target);
  const naming = { eventTime, renamed: readRenamed(rename, group), timeUnits: timeUnitsOf(timeUnit) };
  const source = { ...opened, batches: noteUnused(opened.batches, group, naming) };
  const client = await featuresClient(connection);
  const tally = new Tally();
  const bar = progress(`Writing to ${target}`, source.size, source.unit);
  try {
    await writeRows(new RowStream(client), source, group, naming, { mode: modes[mode], partial }, tally, () => bar.update(source.read(), `${whole.format(tally.rowsWritten)} rows written`));
    return tally;
  } finally {
    bar.stop();
    client.close();
  }
}
