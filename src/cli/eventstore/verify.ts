import type { Command } from 'commander';
import type { VerifyReport } from '../../platform/eventstore/embedded/tools/verify.js';
import { CommandFailure, exitCodes } from '../exit-codes.js';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { told } from './told.js';

/** `tarl eventstore verify`: is everything there, and as it was written? */
export function verify(group: Command): void {
  const command = group.command('verify')
    .description('Walk through a store, running or not: every checksum, every position, and the indexes both ways.')
    .requiredOption('--dir <folder>', 'where its data is')
    .addHelpText('after', '\nExample:\n  $ tarl eventstore verify --dir ./log');
  command.action(async ({ dir }: { dir: string }) => {
    const { verifyApart } = await import('../../platform/eventstore/embedded/tools/verify-apart.js');
    const bar = progress('Verifying', 100, '%');
    const report = await told(verifyApart(dir, (done, total) => bar.update((done / Math.max(1, total)) * 100))).finally(() => bar.stop());
    if (globalOptions(command).json) await printJson(report);
    else await print(sentence(report));
    if (report.problemCount > 0) throw new CommandFailure(`${whole.format(report.problemCount)} ${report.problemCount === 1 ? 'problem' : 'problems'} found in ${dir}.`, exitCodes.failure);
  });
}

/** What was found, in words. */
export function sentence({ events, streams, blocks, problems }: VerifyReport): string {
  const seen = `${whole.format(events)} events of ${whole.format(streams)} streams in ${whole.format(blocks)} blocks`;
  return problems.length === 0 ? `${seen}: all as they were written.` : [`${seen}, and:`, ...problems.map((problem) => `  ${problem}`)].join('\n');
}
