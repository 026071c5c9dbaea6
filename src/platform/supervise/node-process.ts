import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { SetupError } from './setup-error.js';
import type { Part } from './keep-running.js';

/** A program of ours that runs beside the platform. */
export interface NodeProcess {
  name: string;
  /** Its compiled file; it sends `{ ready: true, … }` when it serves, and ends when the channel to us closes. */
  script: string;
  args: readonly string[];
  /** What Node itself is told, such as bounds of its memory. */
  nodeFlags?: readonly string[];
  /** Where its pid is kept for the start after a crash. */
  pidFile: string;
  log: (line: string) => void;
}

/** How long it may take to end by itself. */
const patience_ms = 15_000;

/** Starts the program and waits until it serves; resolves with its message too. It ends with this process. */
export async function startNodeProcess<Ready extends object>(
  { name, script, args, nodeFlags = [], pidFile, log }: NodeProcess,
): Promise<Part & { pid: number; ready: Ready }> {
  // A session of its own: Ctrl-C in the terminal reaches TARL alone, which stops its parts in order.
  const child = fork(script, args, { execArgv: [...process.execArgv, ...nodeFlags], detached: true, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const lines: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    log(line);
    if (lines.push(line) > 20) lines.shift();
  });
  const ended = once(child, 'exit').then(([code, signal]) => `it ended with ${signal ?? `code ${code}`}`);
  const message = once(child, 'message').then(([first]) => first as Ready);
  await writeFile(pidFile, `${child.pid}\n`);
  const ready = await Promise.race([message, ended]);
  if (typeof ready === 'string') throw new SetupError(`The ${name} did not start: ${lines.filter(Boolean).at(-1) ?? ready}.`);
  return {
    pid: child.pid!,
    ready,
    ended,
    async stop() {
      if (child.connected) child.disconnect();
      const impatient = setTimeout(() => child.kill('SIGKILL'), patience_ms);
      await ended;
      clearTimeout(impatient);
    },
  };
}
