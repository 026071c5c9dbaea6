import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { FolderProblem } from '../store/folder.js';
import type { VerifyReport } from './verify.js';

/** What the process that verifies says to the one that asked. */
export type VerifyMessage = { readonly done: number; readonly total: number } | { readonly report: VerifyReport } | { readonly refused: string };

/** Verifies a store in a process of its own: a file that is damaged in its very structure may end the process that reads it. */
export function verifyApart(dir: string, progress: (done: number, total: number) => void): Promise<VerifyReport> {
  const child = fork(fileURLToPath(new URL('./verify-main.js', import.meta.url)), [dir], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  return new Promise((resolve, reject) => {
    child.on('message', (message: VerifyMessage) => {
      if ('report' in message) resolve(message.report);
      else if ('refused' in message) reject(new FolderProblem(message.refused));
      else progress(message.done, message.total);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(unreadable(`reading it ended with ${signal ?? `exit code ${code}`}`)),
    );
  });
}

/** What is told of a store whose structure is damaged. */
export const unreadable = (why: string): VerifyReport => ({ blocks: 0, events: 0, streams: 0, end: 0, problems: [`The data file cannot be walked through: ${why}.`], problemCount: 1 });
