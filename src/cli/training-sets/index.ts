import type { Command } from 'commander';
import { download } from './download.js';
import { save } from './save.js';

/** The commands of `tarl training-sets` that handle rows. */
export function trainingSets(group: Command): void {
  save(group);
  download(group);
}
