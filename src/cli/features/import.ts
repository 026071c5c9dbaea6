import { createHash, randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { timeUnitsOf } from '../../commands/features/file-times.js';
import { rowsOfWrite } from '../../commands/features/import/import-rows.js';
import { mostRows } from '../../commands/features/write.js';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { CommandFailure, exitCodes } from '../exit-codes.js';
import { misused } from '../failures.js';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { openRows, rowFormats, type RowFormat } from '../rows/open.js';
import { featuresClient } from './client.js';
import { noteUnused, readRenamed } from './columns-of-batch.js';
import { readGroup } from './group.js';
import { ImportRecord } from './import-record.js';
import { RowStream } from './row-stream.js';
import { Tally } from './tally.js';
import { timeUnitOption } from './time-unit.js';
import { modes } from './write.js';
import { writeRows } from './write-rows.js';

interface Options {
  readonly mode: keyof typeof modes;
  readonly format?: RowFormat;
  readonly eventTime: string;
  readonly timeUnit: readonly string[];
  readonly map: readonly string[];
  readonly partial?: boolean;
  readonly quarantine?: boolean;
  readonly importId?: string;
  readonly restart?: boolean;
  readonly batchRows: number;
}

/** `tarl features import`: the rows of a file, however large; begun again after a stop, it goes on where it was. */
export function importFile(group: Command): void {
  const command = group.command('import')
    .description('Stores the rows of a CSV, NDJSON, Parquet or Arrow file. Stopped or killed, the same command goes on where it was.')
    .argument('<project/group>')
    .argument('<file>', 'the file, or - for standard input')
    .addOption(new Option('--mode <mode>', 'for whom: the latest values, the history, or both').choices(Object.keys(modes)).default('both'))
    .addOption(new Option('--format <format>', 'when the name of the file does not say it').choices(rowFormats))
    .option('--event-time <column>', 'the column with the time of each row: ISO 8601, UTC where it has no zone', 'event_time')
    .addOption(timeUnitOption())
    .option('--map <column=name,…>', 'columns that hold a key or feature of another name; may be repeated', (text: string, before: readonly string[]) => [...before, ...text.split(',')], [])
    .option('--partial', 'store the good rows of a batch that has bad ones too')
    .option('--quarantine', 'likewise, and keep the bad ones to be mended: see tarl quarantine')
    .option('--import-id <id>', 'what the import is called; made of the file and the command where it is left out')
    .addOption(new Option('--batch-rows <n>', 'rows of one write, each whole or not at all').argParser(batchRowsOf).default(rowsOfWrite))
    .option('--restart', 'send everything again, also what is known to be stored')
    .addHelpText('after', '\nExample:\n  $ tarl features import flights/airports departures.csv --event-time date --map delay=delay_min --quarantine');
  command.action(async (target: string, file: string, options: Options) => {
    const { json, profile } = globalOptions(command);
    const { tally, resumedAt } = await importRows(target, file, options, profile);
    if (json) await printJson({ ...tally.summary(), resumedAt });
    else await print(tally.sentence());
    if (tally.rowsRejected > 0 && !options.quarantine) throw new CommandFailure(tally.faults.join('\n'), exitCodes.refused);
    if (tally.rowsRejected > 0) process.stderr.write(`${tally.faults.join('\n')}\n`);
  });
}

async function importRows(target: string, file: string, options: Options, profile?: string): Promise<{ tally: Tally; resumedAt: number }> {
  const { mode, eventTime, timeUnit, map, partial = false, quarantine = false, format, restart, batchRows } = options;
  const connection = await findConnection(readConfig(), profile);
  const group = await readGroup(connection, target);
  const naming = { eventTime, renamed: readRenamed(map.map(turned), group), timeUnits: timeUnitsOf(timeUnit) };
  const id = options.importId ?? (file === '-' ? randomUUID() : await nameOf(target, file, options));
  const record = await ImportRecord.open(id);
  const from = restart || file === '-' ? { rows: 0 } : record.from;
  const opened = await openRows(file, batchRows, format, from);
  const source = { ...opened, batches: noteUnused(opened.batches, group, naming) };
  const client = await featuresClient(connection);
  const tally = new Tally(from.rows > 0 ? record.told : undefined);
  if (from.rows > 0) process.stderr.write(`Going on after ${whole.format(from.rows)} rows.\n`);
  const bar = progress(`Importing into ${target}`, source.size, source.unit, source.read());
  try {
    await writeRows(new RowStream(client), source, group, naming, { mode: modes[mode], partial, quarantine }, tally, async (batch) => {
      bar.update(source.read(), `${whole.format(tally.rowsWritten)} rows stored`);
      await record.note(batch, tally);
    }, `import:${id}`);
    await record.remove();
    return { tally, resumedAt: from.rows };
  } finally {
    bar.stop();
    client.close();
  }
}

function batchRowsOf(text: string): number {
  const rows = Number(text);
  if (Number.isInteger(rows) && rows >= 1 && rows <= mostRows) return rows;
  throw new InvalidArgumentError(`It is no whole number from 1 to ${mostRows}.`);
}

/** `column=name` as `name=column`. */
function turned(pair: string): string {
  const at = pair.lastIndexOf('=');
  if (at < 1) throw misused(`"${pair}" is not <column>=<name>.`);
  return `${pair.slice(at + 1)}=${pair.slice(0, at)}`;
}

/** The same for the same file, unchanged, and the same command: so each batch has the same key when it is sent again. */
async function nameOf(target: string, file: string, { mode, format, eventTime, timeUnit, map, partial, quarantine, batchRows }: Options): Promise<string> {
  const { size, mtimeMs } = await stat(file).catch(() => ({ size: 0, mtimeMs: 0 }));
  const told = JSON.stringify([target, resolve(file), size, mtimeMs, mode, format, eventTime, map, partial, quarantine, batchRows, ...(timeUnit.length > 0 ? [timeUnit] : [])]);
  return createHash('sha256').update(told).digest('hex').slice(0, 32);
}
