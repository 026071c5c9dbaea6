import { CommanderError } from 'commander';
import { RowsError } from '../platform/rows/batch.js';
import { SetupError } from '../platform/supervise/setup-error.js';
import { CommandFailure, exitCodes } from './exit-codes.js';
import { PlatformRefusal, type RefusalSaid } from './failures.js';

/** Says on standard error why a command failed, and gives its exit code. With `json` the last line there is one JSON object. */
export function report(error: unknown, json: boolean): number {
  const { exitCode, sentence, ...said } = failureOf(error);
  if (json) console.error(JSON.stringify({ error: { code: codeNames[exitCode], message: sentence, ...said, exitCode } }));
  // The parser of the command line has told it already, with what may have been meant.
  else if (!(error instanceof CommanderError)) console.error(sentence);
  return exitCode;
}

/** A failure in words for people, and what a program can branch on. */
interface Told extends Partial<RefusalSaid> {
  readonly exitCode: number;
  readonly sentence: string;
}

/** The code of what the platform has not given one: that of its exit code. */
const codeNames: Readonly<Record<number, string>> = {
  [exitCodes.failure]: 'FAILURE',
  [exitCodes.usage]: 'USAGE',
  [exitCodes.refused]: 'REFUSED',
  [exitCodes.notFound]: 'NOT_FOUND',
  [exitCodes.unavailable]: 'UNAVAILABLE',
};

function failureOf(error: unknown): Told {
  if (error instanceof CommanderError) return { exitCode: exitCodes.usage, sentence: error.code === 'commander.help' ? 'Name one of the commands of this group.' : error.message.replace(/^error: /, '') };
  if (error instanceof RowsError) return { exitCode: exitCodes.usage, sentence: error.message };
  if (error instanceof PlatformRefusal) return { exitCode: error.exitCode, sentence: error.message, ...error.said };
  if (error instanceof CommandFailure) {
    // What has added how far it came still says what the platform said.
    const said = error.cause instanceof PlatformRefusal ? error.cause.said : undefined;
    return { exitCode: error.exitCode, sentence: error.message, ...said, ...(said && { message: error.message }) };
  }
  const sentence = sentenceFor(error);
  // A defect: whoever mends it wants its stack.
  if (sentence === undefined) console.error(error);
  return { exitCode: exitCodes.failure, sentence: sentence ?? `This is a defect of TARL: ${String(error)}` };
}

/** What the machine can do to us anywhere; everything else without a sentence of its own is a defect. */
function sentenceFor(error: unknown): string | undefined {
  if (error instanceof SetupError) return error.message;
  const { code, port, syscall, path, message } = error as NodeJS.ErrnoException & { port?: unknown };
  switch (code) {
    case 'ENOSPC':
      return 'The disk is full: free some space and start again.';
    case 'EADDRINUSE':
      return `Port ${port} is in use: stop what uses it, or choose another one (see the settings in README.md).`;
    default:
      // A file or a folder that is not as the user thinks.
      return syscall !== undefined && path !== undefined ? `The system refuses: ${message}.` : undefined;
  }
}
