import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** How long each way of ending Postgres may take, gentlest first, and what it means to Postgres. */
const escalation = [
  ['SIGINT', 15_000], // fast: write a checkpoint, then end
  ['SIGQUIT', 5_000], // immediate: recover at the next start
  ['SIGKILL', 5_000],
] as const;

/**
 * Ends a Postgres that an earlier, killed TARL left in this folder, and removes its pid file when the process is gone.
 * The caller holds the lock of the data folder, so no living TARL owns that Postgres. Left to itself Postgres would
 * refuse to start when the old pid meanwhile belongs to any other process.
 */
export async function endLeftover(dir: string): Promise<void> {
  const pidFile = join(dir, 'data/postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
  for (const [signal, patience] of escalation) {
    if (!(await isPostgresOf(pid, dir))) break;
    process.kill(pid, signal);
    const deadline = Date.now() + patience;
    while (Date.now() < deadline && (await isPostgresOf(pid, dir))) await delay(50);
  }
  await rm(pidFile, { force: true });
}

/** Asks for the command line, since the pid may have been given to another process; a zombie has none. */
async function isPostgresOf(pid: number, dir: string): Promise<boolean> {
  return (await commandLine(pid)).includes(join(dir, 'data'));
}

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
