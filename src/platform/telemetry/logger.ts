import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** The log: JSON lines on standard output. Nothing is ever logged whole (headers, requests, contexts), so nothing secret slips in. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: describeError } }, destination ?? pino.destination({ dest: 1, sync: true }));
}

interface DescribedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: DescribedError;
}

/** Name, message, stack and cause; other properties of an error may hold requests or credentials and stay out. */
export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  return { type: error.name, message: error.message, stack: error.stack, ...(error.cause !== undefined && { cause: describeError(error.cause) }) };
}
