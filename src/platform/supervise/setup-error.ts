/**
 * What keeps TARL from running and is the user's or the machine's to mend: a wrong setting, a port in use, a full disk.
 * Its message is one sentence for the user; the command line prints it without a stack and ends with exit code 1.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
