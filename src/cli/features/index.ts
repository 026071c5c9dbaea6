import type { Command } from 'commander';
import { asOf } from './as-of.js';
import { drift } from './drift.js';
import { exportLatest } from './export.js';
import { historical } from './historical.js';
import { importFile } from './import.js';
import { lineage } from './lineage.js';
import { read } from './read.js';
import { write } from './write.js';

/** The commands of `tarl features` that handle rows and values. */
export function features(group: Command): void {
  write(group);
  importFile(group);
  exportLatest(group);
  read(group);
  asOf(group);
  historical(group);
  lineage(group);
  drift(group);
}
