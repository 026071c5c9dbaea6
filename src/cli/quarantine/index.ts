import type { Command } from 'commander';
import { discard } from './discard.js';
import { exportRows } from './export.js';
import { mend } from './mend.js';
import { resend } from './resend.js';

/** The commands of `tarl quarantine` that change refused rows or handle many; those that show them are derived. */
export function quarantine(group: Command): void {
  mend(group);
  discard(group);
  exportRows(group);
  resend(group);
}
