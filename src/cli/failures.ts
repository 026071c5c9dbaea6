import { CommandFailure, exitCodeOf, exitCodes } from './exit-codes.js';

/** What a platform said when it refused, on whichever wire. */
export interface RefusalSaid {
  readonly code: string;
  readonly message: string;
  /** A constant to branch on. */
  readonly reason?: string;
  readonly fields?: readonly { readonly field: string; readonly description: string }[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly traceId?: string;
}

/** The platform's "no", as it said it. */
export class PlatformRefusal extends CommandFailure {
  constructor(message: string, readonly said: RefusalSaid) {
    super(message, exitCodeOf(said.code));
  }
}

/** A refusal as a sentence with its code, and a line for each field that the sentence does not name. */
export function refused(said: RefusalSaid): PlatformRefusal {
  const { code, message, fields = [] } = said;
  const unsaid = fields.filter(({ description }) => !message.includes(description));
  const lines = [`${code}: ${message}`, ...unsaid.map(({ field, description }) => `  ${field}: ${description}`)];
  return new PlatformRefusal(lines.join('\n'), said);
}

/** Nobody answers at an address. */
export function unreachable(address: string, cause: unknown): CommandFailure {
  const reason = (cause as { cause?: { code?: string } }).cause?.code ?? (cause as { code?: string }).code;
  const why = reason === 'ECONNREFUSED' ? 'nothing listens there' : (reason ?? (cause as Error).message);
  return new CommandFailure(`The platform cannot be reached at ${address} (${why}): start it with \`tarl up\`, or name another in a profile.`, exitCodes.unavailable, { cause });
}

/** The command line itself is wrong. */
export const misused = (message: string): CommandFailure => new CommandFailure(message, exitCodes.usage);
