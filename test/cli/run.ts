import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** How a command ended and what it printed. */
export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** What comes on standard input. */
  input?: string;
}

/** Runs the compiled `tarl` with these arguments, in an environment that holds nothing of the user's. */
export function runTarl(args: readonly string[], { env = {}, input }: RunOptions = {}): Promise<Ran> {
  const child = spawn(resolve('node_modules/node/bin/node'), [resolve('dist/src/cli/main.js'), ...args], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (printed[name] += text));
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...printed }));
  });
}
