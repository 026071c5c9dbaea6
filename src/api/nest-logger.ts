import type { LoggerService } from '@nestjs/common';
import type { Logger } from '../platform/telemetry/logger.js';

/** Nest's own messages as lines of our log. What it has to say while starting is for people who debug it. */
export const nestLogger = (logger: Logger): LoggerService => ({
  log: (message: unknown) => logger.debug(String(message)),
  debug: (message: unknown) => logger.trace(String(message)),
  verbose: (message: unknown) => logger.trace(String(message)),
  warn: (message: unknown) => logger.warn(String(message)),
  error: (message: unknown, stack?: unknown) => logger.error({ ...(message instanceof Error ? { err: message } : {}), ...(typeof stack === 'string' && { stack }) }, String(message)),
  fatal: (message: unknown) => logger.fatal(String(message)),
});
