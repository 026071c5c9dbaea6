/** What the exit code of `tarl` says to a script. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, refused: 3, notFound: 4, unavailable: 5 } as const;

/** The part of the help that explains them. */
export const exitCodesHelp = `Exit codes:
  0  done
  1  the platform or this machine failed
  2  the command line is wrong
  3  the platform refused, and said why
  4  there is no such thing
  5  the platform cannot be reached, or not in time`;

/** A command that did not succeed for a reason the user can act on: printed as a sentence, ends with its exit code. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';

  constructor(message: string, readonly exitCode: number, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The exit code for a canonical code that the platform answered with, such as `NOT_FOUND`. */
export function exitCodeOf(code: string): number {
  switch (code) {
    case 'NOT_FOUND':
      return exitCodes.notFound;
    case 'UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
      return exitCodes.unavailable;
    case 'INTERNAL':
    case 'UNKNOWN':
      return exitCodes.failure;
    default:
      return exitCodes.refused;
  }
}
