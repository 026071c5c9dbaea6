import type { Command } from 'commander';
import { exitCodes } from './exit-codes.js';

/** The options every command has, wherever on the line they stand. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly profile?: string;
}

/** The global options as a command was given them. */
export const globalOptions = (command: Command): GlobalOptions => command.optsWithGlobals();

/** A reader that has seen enough, as `head` has, ends the command quietly; one that can take no more, such as a full disk, ends it with a sentence. */
export function endWithReaders(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    console.error(`The output cannot be written: ${error.message}.`);
    process.exit(exitCodes.failure);
  });
  process.stderr.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? exitCodes.ok : exitCodes.failure));
}

/** Prints text and resolves when whoever reads it is ready for more. */
export async function print(text: string): Promise<void> {
  if (process.stdout.write(`${text}\n`)) return;
  await new Promise((resolve) => process.stdout.once('drain', resolve));
}

/** Prints a value as JSON: over several lines for people, in one for pipes. */
export const printJson = (value: unknown): Promise<void> => print(JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined));
