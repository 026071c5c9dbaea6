import type { Command } from 'commander';
import { globalOptions, print, printJson } from '../output.js';
import { progress, whole } from '../progress.js';
import { told } from './told.js';
import { sentence } from './verify.js';

const MIB = 1024 * 1024;

/** `tarl eventstore backup`: a copy of the store as it is now. */
export function backup(group: Command): void {
  const command = group.command('backup')
    .description('Copy a store as it is at this moment into an empty folder, while it is running or not.')
    .requiredOption('--dir <folder>', 'where its data is')
    .requiredOption('--to <folder>', 'where the copy goes')
    .addHelpText('after', '\nExample:\n  $ tarl eventstore backup --dir ./log --to ./log-of-today');
  command.action(async ({ dir, to }: { dir: string; to: string }) => {
    const { backupStore } = await import('../../platform/eventstore/embedded/tools/backup.js');
    const bar = progress('Copying', undefined, 'MiB');
    const { bytes } = await told(backupStore(dir, to, (done, total) => bar.update(Math.round(done / MIB), `of at most ${whole.format(total / MIB)} MiB`))).finally(() => bar.stop());
    if (globalOptions(command).json) await printJson({ dir, to, bytes });
    else await print(`The store is copied to ${to} (${whole.format(Math.ceil(bytes / MIB))} MiB).`);
  });
}

/** `tarl eventstore restore`: a folder to run on, out of a backup. */
export function restore(group: Command): void {
  const command = group.command('restore')
    .description('Make a data folder out of a backup, after walking through it: a damaged one is refused.')
    .requiredOption('--from <folder>', 'where the backup is')
    .requiredOption('--dir <folder>', 'the data folder to make; empty or not there yet')
    .addHelpText('after', '\nExample:\n  $ tarl eventstore restore --from ./log-of-today --dir ./log');
  command.action(async ({ from, dir }: { from: string; dir: string }) => {
    const { restoreStore } = await import('../../platform/eventstore/embedded/tools/backup.js');
    const bar = progress('Verifying', 100, '%');
    const report = await told(restoreStore(from, dir, (done, total) => bar.update((done / total) * 100))).finally(() => bar.stop());
    if (globalOptions(command).json) await printJson({ from, dir, ...report });
    else await print(`Restored to ${dir}. ${sentence(report)}`);
  });
}
