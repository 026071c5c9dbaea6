import type { Command } from 'commander';
import { read } from './read.js';
import { write } from './write.js';

/** The commands of `tarl features` that handle rows and values. */
export function features(group: Command): void {
  write(group);
  read(group);
}
