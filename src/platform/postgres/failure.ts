import { SetupError } from '../supervise/setup-error.js';

const noSpace = /No space left on device|Disk quota exceeded/;
const portTaken = /Address already in use|could not create any TCP\/IP sockets/;
const otherVersion = /database files are incompatible with server/;
const oldOneEnding = /pre-existing shared memory block|lock file ".*" already exists/;

/** Whether Postgres could not start because the processes of the one before are still ending. */
export function isStillEnding(lines: readonly string[]): boolean {
  return lines.some((line) => oldOneEnding.test(line));
}

/** Whether Postgres could not start because its port is somebody else's. */
export function isPortTaken(lines: readonly string[]): boolean {
  return lines.some((line) => portTaken.test(line));
}

/** Says in one sentence why Postgres did not start, from what it printed. */
export function explainFailure(
  lines: readonly string[],
  { dir, port, cause }: { dir: string; port?: number; cause?: unknown },
): SetupError {
  const said = (pattern: RegExp) => lines.some((line) => pattern.test(line));
  const sentence = () => {
    if (said(noSpace)) return `The disk that holds ${dir} is full: free some space and start again.`;
    if (said(portTaken)) return `Port ${port} is in use: stop what uses it, or choose another one with TARL_POSTGRES_PORT.`;
    if (said(otherVersion)) return `${dir} was written by another version of Postgres: start the TARL that wrote it, or choose another folder with TARL_DATA_DIR.`;
    const last = lines.filter((line) => /FATAL|PANIC|error:/.test(line)).at(-1) ?? lines.filter(Boolean).at(-1);
    return `The embedded Postgres did not start: ${last?.replace(/^\w+: +/, '') ?? 'it said nothing'}.`;
  };
  return new SetupError(sentence(), { cause });
}
