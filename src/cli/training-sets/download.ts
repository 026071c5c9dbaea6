import type { Command } from 'commander';
import type { ServiceError } from '@grpc/grpc-js';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { readResource } from '../derived/arguments.js';
import { readerOf, typeOfColumn } from '../features/answers.js';
import type { Column } from '../features/columns.js';
import type { ServiceClient } from '../grpc.js';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { openSink, type RowSink } from '../rows/sink.js';
import { trainingSetsClient } from './client.js';

interface Batch {
  readonly batch: { readonly rows: number; readonly columns: readonly Column[] };
  readonly deletedSince: boolean;
}

/** `tarl training-sets download`: the rows of a saved training set as they were. */
export function download(group: Command): void {
  const command = group.command('download')
    .description('Writes the rows of a saved training set to a file.')
    .argument('<project/trainingSet>')
    .option('--out <file>', 'a .csv, .ndjson, .parquet or .arrow file; standard output without it')
    .addHelpText('after', '\nExample:\n  $ tarl training-sets download flights/january --out january.csv');
  command.action(async (target: string, { out }: { out?: string }) => {
    const { json, profile } = globalOptions(command);
    const request = readResource(['project', 'trainingSet'], target);
    const client = await trainingSetsClient(await findConnection(readConfig(), profile));
    const sink = await openSink(out, json);
    const bar = progress('Downloading', undefined, 'rows');
    const written = await write(client, request, sink, (rows) => bar.update(rows)).finally(() => {
      bar.stop();
      client.close();
    });
    if (written.deletedSince) process.stderr.write('Entities were deleted since it was saved: their values are hidden.\n');
    if (out === undefined) return;
    if (json) await printJson({ ...written, out });
    else await print(`${whole.format(written.rows)} rows in ${out}.`);
  });
}

async function write(client: ServiceClient, request: object, sink: RowSink, counted: (rows: number) => void): Promise<{ rows: number; deletedSince: boolean }> {
  const written = { rows: 0, deletedSince: false };
  try {
    for await (const { batch, deletedSince } of client.answers<Batch>('DownloadTrainingSet', request)) {
      await sink.write(batch.columns.map((column: Column) => ({ name: column.name, type: typeOfColumn(column), at: readerOf(column) })), batch.rows);
      written.rows += batch.rows;
      written.deletedSince ||= deletedSince;
      counted(written.rows);
    }
    await sink.close();
    return written;
  } catch (error) {
    await sink.abandon();
    throw error instanceof Error && 'code' in error && 'metadata' in error ? client.failureOf(error as ServiceError) : error;
  }
}
