import type { Command } from 'commander';
import { readConfig } from '../../platform/config/index.js';
import { findConnection } from '../connection.js';
import { globalOptions, print, printJson } from '../output.js';
import { whole } from '../progress.js';
import { callRest } from '../rest.js';
import { openFile } from '../rows/sink.js';
import { listRoute, type ShownRow } from './routes.js';

/** `tarl quarantine export`: refused rows as lines of JSON, to be mended in an editor and sent again by `resend`. */
export function exportRows(group: Command): void {
  const command = group.command('export')
    .description('Writes refused rows to a file, a line of JSON each, to be mended there and sent by `tarl quarantine resend`.')
    .argument('<project>')
    .argument('<file>', 'a file that ends with .ndjson')
    .option('--filter <filter>', 'only these, as in `tarl quarantine list`', '')
    .addHelpText('after', '\nExample:\n  $ tarl quarantine export flights refused.ndjson --filter "group = airports"');
  command.action(async (project: string, file: string, { filter }: { filter: string }) => {
    const { json, profile } = globalOptions(command);
    const connection = await findConnection(readConfig(), profile);
    const target = await openFile(file);
    let rows = 0;
    try {
      for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
        const page = (await callRest(connection, listRoute, { project, filter, pageSize: 500, pageToken })) as unknown as { quarantinedRows: readonly ShownRow[]; nextPageToken: string };
        for (const { id, group: of, entity, eventTime, values, faults, source } of page.quarantinedRows) await target.write(`${JSON.stringify({ id, group: of, source, faults, entity, eventTime, values })}\n`);
        rows += page.quarantinedRows.length;
        pageToken = page.nextPageToken || undefined;
      }
      await target.close();
    } catch (error) {
      await target.abandon();
      throw error;
    }
    if (json) await printJson({ rows, out: file });
    else await print(`${whole.format(rows)} refused ${rows === 1 ? 'row' : 'rows'} in ${file}. Mend them there, then: tarl quarantine resend ${project} ${file}`);
  });
}
