import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { readConfig } from '../../platform/config/index.js';
import { ndjsonBatches } from '../../platform/rows/ndjson.js';
import { findConnection } from '../connection.js';
import { CommandFailure, exitCodes } from '../exit-codes.js';
import { PlatformRefusal } from '../failures.js';
import type { LocalRun } from '../local-run.js';
import { globalOptions, print, printJson } from '../output.js';
import { whole } from '../progress.js';
import { callRest } from '../rest.js';
import { RowsError } from '../rows/source.js';
import { mendRoute } from './routes.js';

const atOnce = 16;
const faultsShown = 10;

/** `tarl quarantine resend`: sends the rows of a file that `export` wrote, mended. */
export function resend(group: Command): void {
  const command = group.command('resend')
    .description('Writes the refused rows of a file again as they stand there; those that are written leave the quarantine.')
    .argument('<project>')
    .argument('<file>', 'a file that `tarl quarantine export` wrote, mended')
    .addHelpText('after', '\nExample:\n  $ tarl quarantine resend flights refused.ndjson');
  command.action(async (project: string, file: string) => {
    const { json, profile } = globalOptions(command);
    const { written, refused, faults } = await sendFile(await findConnection(readConfig(), profile), project, file);
    if (json) await printJson({ written, refused, faults });
    else await print(`${whole.format(written)} written, ${whole.format(refused)} refused again.`);
    if (refused > 0) throw new CommandFailure(faults.join('\n'), exitCodes.refused);
  });
}

async function sendFile(connection: LocalRun, project: string, file: string): Promise<{ written: number; refused: number; faults: string[] }> {
  const told = { written: 0, refused: 0, faults: [] as string[] };
  const bytes = createReadStream(file);
  for await (const { rows, columns, lines } of ndjsonBatches(bytes, atOnce)) {
    const at = (name: string, row: number): unknown => {
      const value = columns.get(name)?.[row] ?? undefined;
      return typeof value === 'bigint' ? String(value) : value;
    };
    await Promise.all(
      Array.from({ length: rows }, async (_, row) => {
        const id = at('id', row);
        if (typeof id !== 'string') throw new RowsError(`Line ${lines![row]} has no id: it is not of a file that tarl quarantine export wrote`);
        try {
          await callRest(connection, mendRoute, { project, id, whole: true, entity: at('entity', row) ?? {}, eventTime: at('eventTime', row), values: at('values', row) ?? {} });
          told.written++;
        } catch (error) {
          if (!(error instanceof PlatformRefusal)) throw error;
          told.refused++;
          if (told.faults.length < faultsShown) told.faults.push(`Line ${lines![row]}: ${error.message}`);
        }
      }),
    );
  }
  return told;
}
