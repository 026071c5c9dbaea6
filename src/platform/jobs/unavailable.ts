/** What the Redis client says when Redis cannot be reached. */
const names = new Set(['MaxRetriesPerRequestError']);
const messages = /^(Connection is closed|Stream isn't writeable)/;

/** Tells a Redis that is not there for the moment from a mistake of ours. */
export function isRedisUnavailable(error: unknown): boolean {
  return error instanceof Error && (names.has(error.name) || messages.test(error.message));
}
