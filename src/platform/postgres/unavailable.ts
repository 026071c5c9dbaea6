import { types } from 'node:util';

/** What pg, its pool and the socket say when Postgres cannot be reached or is going down. */
const codes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH', '57P01', '57P02', '57P03', '53300', '08000', '08001', '08003', '08004', '08006']);
const messages = /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after calling end)/;

/** Those of a session that was ended, or of a socket that was closed, while Postgres itself may well be there. */
const lostCodes = new Set(['ECONNRESET', 'EPIPE', '57P01', '57P02', '08003', '08006']);
const lostMessages = /^(Connection terminated(?! due to connection timeout)|Client has encountered a connection error)/;

/** Tells a connection that has died from a Postgres that cannot be reached. */
export function isConnectionLost(error: unknown): boolean {
  return types.isNativeError(error) && (lostCodes.has((error as { code?: string }).code ?? '') || lostMessages.test(error.message));
}

/** Tells a Postgres that is not there for the moment from a statement that is wrong. */
export function isPostgresUnavailable(error: unknown): boolean {
  if (!types.isNativeError(error)) return false;
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  // The embedded one listens on a socket, which is a file that goes and comes with it.
  return codes.has(code) || (code === 'ENOENT' && syscall === 'connect') || messages.test(error.message);
}
