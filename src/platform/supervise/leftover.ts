import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A process that a killed TARL may have left behind. */
export interface Leftover {
  /** The file whose first line is its pid. */
  pidFile: string;
  /** What stands in its command line and in no other process's, so that a pid given away again is not mistaken for it. */
  mark: string;
  /** The signals to end it with, gentlest first, and how long each may take. */
  escalation: readonly (readonly [NodeJS.Signals, patience_ms: number])[];
}

/**
 * Ends the process and removes its pid file. The caller holds the lock of the data folder, so no living TARL owns the
 * process; it is either ending by itself already or would never end.
 */
export async function endLeftover({ pidFile, mark, escalation }: Leftover): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(await readFile(pidFile, 'utf8'), 10);
  const lives = async () => (await commandLine(pid)).includes(mark);
  for (const [signal, patience_ms] of escalation) {
    if (!(await lives())) break;
    process.kill(pid, signal);
    const deadline = Date.now() + patience_ms;
    while (Date.now() < deadline && (await lives())) await delay(50);
  }
  await rm(pidFile, { force: true });
}

/** The command line of a process; empty where there is none, and of a zombie. */
async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return (await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])).stdout;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT' || code === 'ESRCH' || code === 1) return '';
    throw error;
  }
}
